import { expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  appendText,
  endsWithLineFeed,
  linesOf,
  NoRegularFile,
  placeNewFile,
  readHead,
  readSmallFile,
  realPath,
  replaceFile,
  whileOpenElsewhere,
} from "../../src/platform/files.ts";
import { isWithin } from "../../src/platform/paths.ts";

class Folder implements Disposable {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), "pccm-files-")));

  at(name: string): string {
    return join(this.path, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

test("lines are read one at a time, whatever their lengths, and one that is too long is left out", () => {
  using folder = new Folder();
  const file = folder.at("lines");
  const long = "ä".repeat(100_000);
  writeFileSync(file, `one\n${long}\n\n${"x".repeat(300_000)}\nlast`);
  expect([...linesOf(file, 200_000)]).toEqual(["one", long, "", "last"]);
  expect(endsWithLineFeed(file)).toBe(false);
  expect([...linesOf(folder.at("nothing"), 10)]).toEqual([]);
  expect(endsWithLineFeed(folder.at("nothing"))).toBe(true);
});

test("a link that leads to nothing is resolved to what would be made behind it", () => {
  using folder = new Folder();
  mkdirSync(folder.at("inside"));
  symlinkSync("../outside/new", folder.at("inside/link"));
  symlinkSync("link", folder.at("inside/second"));
  symlinkSync("loop", folder.at("inside/loop"));
  expect(realPath(folder.at("inside/link"))).toBe(folder.at("outside/new"));
  expect(realPath(folder.at("inside/second/below"))).toBe(folder.at("outside/new/below"));
  expect(realPath(folder.at("inside/nothing/below"))).toBe(folder.at("inside/nothing/below"));
  expect(realPath(folder.at("inside/loop"))).toBe(folder.at("inside/loop"));
});

test("a file that is not read says why", () => {
  using folder = new Folder();
  writeFileSync(folder.at("long"), "x".repeat(2_000_001));
  const reasonOf = (path: string) => {
    const read = readSmallFile(path, 2_000_000);
    return read.kind === "unreadable" ? read.reason : read.kind;
  };
  expect(reasonOf(folder.at("long"))).toBe("is larger than 2 MB");
  expect(reasonOf(folder.path)).toBe("is not a file");
  expect(reasonOf(folder.at("nothing"))).toBe("nothing");
});

test("what the disk takes only a part of is not appended at all", () => {
  using folder = new Folder();
  const file = folder.at("lines");
  const source = join(import.meta.dir, "../../src/platform/files.ts");
  const text = `const { appendText } = await import(${JSON.stringify(source)});
    process.on("SIGXFSZ", () => undefined);
    appendText(${JSON.stringify(file)}, "whole\\n");
    try { appendText(${JSON.stringify(file)}, "x".repeat(3_000_000)); console.log("written"); } catch (error) { console.log(error.code); }
    appendText(${JSON.stringify(file)}, "next\\n");`;
  // A file may have one megabyte there.
  const { stdout } = Bun.spawnSync(["sh", "-c", `ulimit -f 2048; exec "$0" -e "$1"`, process.execPath, text]);
  expect(stdout.toString().trim()).toBe("EFBIG");
  expect(readFileSync(file, "utf8")).toBe("whole\nnext\n");
});

test("nothing is appended to, or read from, what is no regular file", () => {
  using folder = new Folder();
  const [victim, link, pipe, directory] = ["victim", "link", "pipe", "directory"].map((name) =>
    folder.at(name),
  );
  writeFileSync(victim ?? "", "mine");
  symlinkSync(victim ?? "", link ?? "");
  Bun.spawnSync(["mkfifo", pipe ?? ""]);
  mkdirSync(directory ?? "");
  for (const path of [link, pipe, directory]) {
    expect(() => appendText(path ?? "", "x")).toThrow(NoRegularFile);
    expect(() => [...linesOf(path ?? "", 10)]).toThrow(NoRegularFile);
    expect(readHead(path ?? "", 10)).toBe("");
  }
  expect(readHead(link ?? "", 10, { followsLinks: true })).toBe("mine");
  expect(readFileSync(victim ?? "", "utf8")).toBe("mine");
});

test.each(["link", "pipe"])("a %s at the name of a half file is none of ours, and goes", (kind) => {
  using folder = new Folder();
  const [victim, file] = [folder.at("victim"), folder.at("file")];
  writeFileSync(victim, "mine");
  for (const write of [
    () => replaceFile(file, "ours", "tag"),
    () => placeNewFile(folder.at("new"), "ours", "tag"),
  ]) {
    for (const half of [`${file}.tag.part`, `${folder.at("new")}.tag.part`]) {
      if (kind === "link") symlinkSync(victim, half);
      else Bun.spawnSync(["mkfifo", half]);
    }
    write();
    for (const half of [`${file}.tag.part`, `${folder.at("new")}.tag.part`]) rmSync(half, { force: true });
  }
  expect([victim, file, folder.at("new")].map((path) => readFileSync(path, "utf8"))).toEqual([
    "mine",
    "ours",
    "ours",
  ]);
});

test("a file that somebody has open is tried again, for a while, and everything else is not", () => {
  const failing = (code: string, times: number) => {
    let tried = 0;
    const act = () => {
      if (++tried <= times) throw Object.assign(new Error(code), { code });
    };
    return { act, tried: () => tried };
  };
  const open = failing("EBUSY", 3);
  whileOpenElsewhere(open.act);
  expect(open.tried()).toBe(4);
  expect(() => whileOpenElsewhere(failing("EPERM", Number.POSITIVE_INFINITY).act, 20)).toThrow("EPERM");
  const gone = failing("ENOENT", 1);
  expect(() => whileOpenElsewhere(gone.act)).toThrow("ENOENT");
  expect(gone.tried()).toBe(1);
});

test.each([
  ["/home/me", "/home/me", true],
  ["/home/me/..data", "/home/me", true],
  ["/home/me/..", "/home/me", false],
  ["/home/me2", "/home/me", false],
  ["/home", "/home/me", false],
  ["/", "/", true],
  ["/x", "/", true],
])("whether %s is within %s: %p", (path, root, is) => {
  expect(isWithin(path, root)).toBe(is);
});
