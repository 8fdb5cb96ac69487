// The signature that we put under an executable for macOS, and what `release:facts` says of signatures.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readCodeSignature } from "../../scripts/release/facts/code-signature.ts";
import { factsOf } from "../../scripts/release/facts/judge.ts";
import { readMachO } from "../../scripts/release/facts/mach-o.ts";
import { signAdHoc } from "../../scripts/release/sign-ad-hoc.ts";
import { testNeeding } from "../facilities.ts";
import { darwin, machO, withCertificate } from "./made-up-binaries.ts";

setDefaultTimeout(120_000);

describe("a signature of ours", () => {
  const signatureOf = (file: Buffer) => {
    const { signature } = readMachO(file);
    if (!signature) throw new Error("There is no place for a signature");
    return readCodeSignature(file, signature);
  };

  test("is ad hoc, and right for every page, the last of which is short", () => {
    const file = machO(20_000);
    expect(signatureOf(file)).toMatchObject({
      adHoc: true,
      linkerSigned: true,
      certified: false,
      identifier: "made-up",
      pageSize: 4096,
      pages: 9,
      badPages: [],
      codeLimit: 2 * 16_384 + 64,
    });
    expect(readMachO(file)).toMatchObject({ machine: "arm64", macos: "13.0", positionIndependent: true });
    const wrong = factsOf(darwin("arm64"), file).filter((fact) => fact.wrong !== undefined);
    expect(wrong.map(({ name }) => name)).toEqual(["program"]);
  });

  test("may be one by a certificate, and is wrong where it is neither", () => {
    const file = machO(20_000);
    const directory = (readMachO(file).signature?.offset ?? 0) + 20;
    file.writeUInt32BE(0, directory + 12);
    const signature = factsOf(darwin("arm64"), file).find(({ name }) => name === "signature");
    expect(signature?.wrong).toContain("nobody made it");
    const certified = factsOf(darwin("arm64"), withCertificate(file));
    expect(certified.find(({ name }) => name === "signature")).toEqual({
      name: "signature",
      value: 'by a certificate, of "made-up"',
    });
  });

  test("names each page that has changed", () => {
    const file = machO(20_000);
    for (const at of [5000, 5001, 2 * 16_384 + 1]) file.writeUInt8(0, at);
    expect(signatureOf(file).badPages).toEqual([1, 8]);
    expect(factsOf(darwin("arm64"), file).find(({ name }) => name === "pages")).toEqual({
      name: "pages",
      value: "7 of 9 right (SHA-256, 4096 bytes each)",
      wrong: "2 have another hash: 1, 8",
    });
  });

  test("takes the place of another, is the same each time, and ends file and segment", () => {
    const file = machO(200_000, { identifier: "a-much-longer-identifier-than-the-next" });
    file.writeUInt8(0, 70_000);
    const signed = signAdHoc(file, "short");
    expect(signatureOf(signed)).toMatchObject({ identifier: "short", badPages: [] });
    expect(signAdHoc(signed, "short").equals(signed)).toBe(true);
    const { segments, signature } = readMachO(signed);
    const linkEdit = segments.find(({ name }) => name === "__LINKEDIT");
    expect((linkEdit?.offset ?? 0) + (linkEdit?.size ?? 0)).toBe(signed.length);
    expect((signature?.offset ?? 0) + (signature?.size ?? 0)).toBe(signed.length);
  });

  test("does not cover what stands behind it", () => {
    const longer = Buffer.concat([machO(20_000), Buffer.alloc(10)]);
    const facts = factsOf(darwin("arm64"), longer);
    expect(facts.find(({ name }) => name === "covers")?.wrong).toMatch("does not end the file");
  });

  test("is missed where it is not", () => {
    const file = machO(20_000);
    file.fill(0, readMachO(file).signature?.offset);
    expect(factsOf(darwin("arm64"), file)).toMatchObject([{ wrong: "it has no signature" }]);
  });

  testNeeding("Bun's runtime for macOS")("is for arm64 what Bun itself writes, to the byte", async () => {
    const directory = mkdtempSync(join(tmpdir(), "pccm-sign-"));
    const [source, outfile] = [join(directory, "empty.ts"), join(directory, "empty")];
    try {
      await Bun.write(source, "");
      const { exitCode } = Bun.spawnSync(
        [process.execPath, "build", "--compile", "--target=bun-darwin-arm64", source, "--outfile", outfile],
        { cwd: directory },
      );
      expect(exitCode).toBe(0);
      const file = readFileSync(outfile);
      expect(signatureOf(file)).toMatchObject({ adHoc: true, identifier: "a.out", badPages: [] });
      expect(signAdHoc(file, "a.out").equals(file)).toBe(true);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
