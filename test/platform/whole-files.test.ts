// Files that are written as a whole, and what prevents it.
import { expect, test } from "bun:test";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NoRegularFile, readHead as readHeadNow } from "../../src/platform/files.ts";
import {
  appendText,
  endsWithLineFeed,
  linesOf,
  placeNewFile,
  readHead,
  removeHalfFiles,
  replaceFile,
  whileOpenElsewhere,
} from "../../src/platform/whole-files.ts";
import { testNeeding } from "../facilities.ts";

class Folder implements Disposable {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), "pccm-files-")));

  at(name: string): string {
    return join(this.path, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

test("lines are read one at a time, whatever their lengths, and one that is too long is left out", async () => {
  using folder = new Folder();
  const file = folder.at("lines");
  const long = "ä".repeat(100_000);
  writeFileSync(file, `one\n${long}\n\n${"x".repeat(300_000)}\nlast`);
  expect(await Array.fromAsync(linesOf(file, 200_000))).toEqual(["one", long, "", "last"]);
  expect(await endsWithLineFeed(file)).toBe(false);
  expect(await Array.fromAsync(linesOf(folder.at("nothing"), 10))).toEqual([]);
  expect(await endsWithLineFeed(folder.at("nothing"))).toBe(true);
});

testNeeding("sh")("what the disk takes only a part of is not appended at all", () => {
  using folder = new Folder();
  const file = folder.at("lines");
  const source = join(import.meta.dir, "../../src/platform/whole-files.ts");
  const text = `const { appendText } = await import(${JSON.stringify(source)});
    process.on("SIGXFSZ", () => undefined);
    await appendText(${JSON.stringify(file)}, "whole\\n");
    try { await appendText(${JSON.stringify(file)}, "x".repeat(3_000_000)); console.log("written"); } catch (error) { console.log(error.code); }
    await appendText(${JSON.stringify(file)}, "next\\n");`;
  // A file may have one megabyte there.
  const { stdout } = Bun.spawnSync(["sh", "-c", `ulimit -f 2048; exec "$0" -e "$1"`, process.execPath, text]);
  expect(stdout.toString().trim()).toBe("EFBIG");
  expect(readFileSync(file, "utf8")).toBe("whole\nnext\n");
});

testNeeding("symbolic links")("nothing is appended to, or read from, what is no regular file", async () => {
  using folder = new Folder();
  const [victim, link, pipe, directory] = ["victim", "link", "pipe", "directory"].map((name) =>
    folder.at(name),
  );
  writeFileSync(victim ?? "", "mine");
  symlinkSync(victim ?? "", link ?? "");
  Bun.spawnSync(["mkfifo", pipe ?? ""]);
  mkdirSync(directory ?? "");
  for (const path of [link, pipe, directory]) {
    await expect(appendText(path ?? "", "x")).rejects.toThrow(NoRegularFile);
    await expect(Array.fromAsync(linesOf(path ?? "", 10))).rejects.toThrow(NoRegularFile);
    expect(await readHead(path ?? "", 10)).toBe("");
    expect(readHeadNow(path ?? "", 10)).toBe("");
  }
  expect(readHeadNow(link ?? "", 10, { followsLinks: true })).toBe("mine");
  expect(readFileSync(victim ?? "", "utf8")).toBe("mine");
});

for (const kind of ["link", "pipe"])
  testNeeding("symbolic links")(
    `a ${kind} at the name of a half file is none of ours, and goes`,
    async () => {
      using folder = new Folder();
      const [victim, file, fresh] = [folder.at("victim"), folder.at("file"), folder.at("new")];
      writeFileSync(victim, "mine");
      // The next names, which whoever knows this process can tell.
      const halves = [file, fresh].flatMap((path) =>
        Array.from({ length: 50 }, (_, index) => `${path}.${process.pid}-${index + 1}.tag.part`),
      );
      for (const half of halves) {
        if (kind === "link") symlinkSync(victim, half);
        else expect(Bun.spawnSync(["mkfifo", half]).success).toBe(true);
      }
      await replaceFile(file, "ours", { tag: "tag" });
      expect(await placeNewFile(fresh, "ours", { tag: "tag" })).toBe(true);
      expect(await placeNewFile(fresh, "others", { tag: "tag" })).toBe(false);
      expect(halves.filter((half) => lstatSync(half, { throwIfNoEntry: false })).length).toBe(97);
      await removeHalfFiles(folder.path, "tag");
      expect(readdirSync(folder.path).sort()).toEqual(["file", "new", "victim"]);
      expect([victim, file, fresh].map((path) => readFileSync(path, "utf8"))).toEqual([
        "mine",
        "ours",
        "ours",
      ]);
    },
  );

testNeeding("modes of files")(
  "what is replaced in pieces is there as a whole, with its mode, or not at all",
  async () => {
    using folder = new Folder();
    const file = folder.at("file");
    const pieces = Array.from({ length: 40 }, (_, index) => String(index % 10).repeat(20_000));
    await replaceFile(file, pieces, { mode: 0o600 });
    expect(readFileSync(file, "utf8")).toBe(pieces.join(""));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    // Of just as many bytes as are written at once, nothing is left to write at the end; no character is cut in two.
    const atOnce = 64 * 1024;
    for (const text of ["", "x", "x".repeat(atOnce), "ä".repeat(atOnce + 1), `x${"🙂".repeat(atOnce)}`]) {
      for (const contents of [text, [text], ["", text, ""], [text, text.slice(0, 1), text]]) {
        await replaceFile(folder.at("other"), contents);
        const wanted = typeof contents === "string" ? contents : contents.join("");
        expect(readFileSync(folder.at("other"), "utf8") === wanted).toBe(true);
      }
    }
    rmSync(folder.at("other"));
    const broken = (async function* () {
      yield* pieces;
      throw new Error("no more");
    })();
    await expect(replaceFile(file, broken)).rejects.toThrow("no more");
    expect(readFileSync(file, "utf8")).toBe(pieces.join(""));
    await expect(replaceFile(folder.path, "x")).rejects.toThrow();
    expect(readdirSync(folder.path)).toEqual(["file"]);
  },
);

test("a kill in the middle of the pieces leaves the old file, and half of a new one that is found by its tag", async () => {
  using folder = new Folder();
  const file = folder.at("file");
  await replaceFile(file, "the old text");
  const module = join(import.meta.dir, "../../src/platform/whole-files.ts");
  const program = `
    const { replaceFile } = await import(${JSON.stringify(module)});
    async function* pieces() {
      for (let piece = 0; piece < 40; piece++) yield "x".repeat(20_000);
      console.log("in the middle");
      await new Promise(() => setInterval(() => undefined, 1_000));
    }
    await replaceFile(${JSON.stringify(file)}, pieces(), { tag: "mine" });
  `;
  const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe" });
  for await (const said of child.stdout) if (said.length > 0) break;
  child.kill("SIGKILL");
  await child.exited;
  expect(readFileSync(file, "utf8")).toBe("the old text");
  expect(readdirSync(folder.path)).toHaveLength(2);
  await removeHalfFiles(folder.path, "mine");
  expect(readdirSync(folder.path)).toEqual(["file"]);
});

test("what gives the pieces is closed at the end, whatever prevents the file", async () => {
  using folder = new Folder();
  const piece = "x".repeat(300_000);
  const given = (count: number, fails = false) => {
    const source = { isClosed: false };
    const pieces = (async function* () {
      try {
        for (let index = 0; index < count; index++) yield piece;
        if (fails) throw new Error("no more");
      } finally {
        source.isClosed = true;
      }
    })();
    return { source, pieces };
  };
  const missing = folder.at("missing/file");
  mkdirSync(folder.at("taken"));
  for (const [path, count, fails] of [
    [missing, 1, false],
    [missing, 2, false],
    [missing, 5, false],
    [folder.at("taken"), 5, false],
    [folder.at("file"), 5, true],
    [folder.at("file"), 0, true],
  ] as const) {
    const { source, pieces } = given(count, fails);
    await expect(replaceFile(path, pieces)).rejects.toThrow();
    expect(source).toEqual({ isClosed: true });
  }
  const { source, pieces } = given(5);
  await replaceFile(folder.at("file"), pieces);
  expect(source).toEqual({ isClosed: true });
  expect(readdirSync(folder.path).sort()).toEqual(["file", "taken"]);
});

test("only halves of processes that have gone are removed, if others may be writing", async () => {
  using folder = new Folder();
  for (const name of ["a.12-1.mine.part", "a.13-1.mine.part", "a.mine.part", "a.12-1.other.part"])
    writeFileSync(folder.at(name), "half");
  await removeHalfFiles(folder.path, "mine", (pid) => pid === 12);
  expect(readdirSync(folder.path).sort()).toEqual(["a.12-1.other.part", "a.13-1.mine.part", "a.mine.part"]);
});

test("a name of a half file that is taken costs no piece of the new file", async () => {
  using folder = new Folder();
  const file = folder.at("file");
  for (let count = 1; count <= 200; count++)
    writeFileSync(`${file}.${process.pid}-${count}.mine.part`, "foreign");
  const long = Array.from({ length: 40 }, (_, index) => String(index % 10).repeat(20_000));
  for (const pieces of [long, ["short", " text"]]) {
    await replaceFile(file, pieces, { tag: "mine" });
    expect(readFileSync(file, "utf8")).toBe(pieces.join(""));
  }
  expect(readdirSync(folder.path)).toHaveLength(1 + 200 - 2);
});

test("a file that somebody has open is tried again, for a while, and everything else is not", async () => {
  const failing = (code: string, times: number) => {
    let tried = 0;
    const act = async () => {
      if (++tried <= times) throw Object.assign(new Error(code), { code });
    };
    return { act, tried: () => tried };
  };
  const open = failing("EBUSY", 3);
  await whileOpenElsewhere(open.act);
  expect(open.tried()).toBe(4);
  await expect(whileOpenElsewhere(failing("EPERM", Number.POSITIVE_INFINITY).act, 20)).rejects.toThrow(
    "EPERM",
  );
  const gone = failing("ENOENT", 1);
  await expect(whileOpenElsewhere(gone.act)).rejects.toThrow("ENOENT");
  expect(gone.tried()).toBe(1);
});
