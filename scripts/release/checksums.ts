// `dist/SHA256SUMS`: what stands in it, and whether every artifact is what it says.
import { join } from "node:path";
import { dist } from "./release.ts";

const sumsFile = join(dist, "SHA256SUMS");

/** The SHA-256 of bytes or text, in hexadecimal digits. */
export function checksumOf(content: Uint8Array | string): string {
  return new Bun.CryptoHasher("sha256").update(content).digest("hex");
}

/** Writes the checksums of artifacts, by their paths below `dist`, as `sha256sum` does. */
export async function writeChecksums(checksums: ReadonlyMap<string, string>): Promise<void> {
  await Bun.write(sumsFile, [...checksums].map(([path, sum]) => `${sum}  ${path}\n`).join(""));
}

/** The checksum of each artifact, by its path below `dist`; empty where nothing was packed. */
export async function readChecksums(): Promise<ReadonlyMap<string, string>> {
  const file = Bun.file(sumsFile);
  if (!(await file.exists())) return new Map();
  const lines = (await file.text()).trim().split("\n");
  return new Map(
    lines.map((line) => {
      const [sum = "", path = ""] = line.split("  ");
      return [path, sum];
    }),
  );
}

/** The faults of the artifacts; `alsoIn` finds further faults in the bytes of one. */
export async function faultsOfArtifacts(
  alsoIn: (path: string, bytes: Uint8Array<ArrayBuffer>) => string | undefined = () => undefined,
): Promise<string[]> {
  const checksums = await readChecksums();
  if (checksums.size === 0) return ["dist has no SHA256SUMS: `bun run release:build` writes it"];
  const faults: string[] = [];
  // One after the other, because together they exceed a gigabyte.
  for (const [path, checksum] of checksums) {
    const file = Bun.file(join(dist, path));
    if (!(await file.exists())) {
      faults.push(`dist lacks ${path}, which SHA256SUMS names`);
      continue;
    }
    const bytes = await file.bytes();
    const fault =
      checksumOf(bytes) === checksum ? alsoIn(path, bytes) : `${path} is not what SHA256SUMS says`;
    if (fault !== undefined) faults.push(fault);
  }
  return faults;
}
