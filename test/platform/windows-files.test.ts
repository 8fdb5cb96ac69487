// Files on Windows that another program has open, and paths that are longer than they may be elsewhere.
import { expect } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exists } from "../../src/platform/files.ts";
import { removePath } from "../../src/platform/removal.ts";
import { appendText, makeDirectory, replaceFile } from "../../src/platform/whole-files.ts";
import { testNeeding } from "../facilities.ts";

const testOnWindows = testNeeding("Windows");

function newFolder(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "pccm-files-"));
  return { path, [Symbol.dispose]: () => removePath(path) };
}

/** Another program has a file open, as a virus scanner does, which lets nobody write or remove it. */
async function openElsewhere(path: string, forMs: number) {
  const script = `
    const { dlopen } = await import("bun:ffi");
    const { CloseHandle, CreateFileW } = dlopen("kernel32.dll", {
      CloseHandle: { args: ["u64"], returns: "i32" },
      CreateFileW: { args: ["ptr", "u32", "u32", "ptr", "u32", "u32", "u64"], returns: "u64" },
    }).symbols;
    const genericRead = 0x80000000, openExisting = 3;
    const handle = CreateFileW(Buffer.from(process.argv[1] + "\\0", "utf16le"), genericRead, 0, null, openExisting, 0, 0);
    console.log(handle === 0xffff_ffff_ffff_ffffn ? "failed" : "open");
    // At once: the end of a process takes long on a busy machine, and nobody waits for longer than a second.
    setTimeout(() => CloseHandle(handle), ${forMs});`;
  const child = Bun.spawn([process.execPath, "-e", script, path], { stdout: "pipe", stdin: "ignore" });
  for await (const bytes of child.stdout) {
    expect(Buffer.from(bytes).toString().trim()).toBe("open");
    break;
  }
  return child;
}

testOnWindows("a folder is removed once another program has closed a file in it", async () => {
  using folder = newFolder();
  const inner = join(folder.path, "a", "b");
  mkdirSync(inner, { recursive: true });
  writeFileSync(join(inner, "file"), "x");
  writeFileSync(join(folder.path, "a", "other"), "x");
  await using _ = await openElsewhere(join(inner, "file"), 300);
  removePath(join(folder.path, "a"));
  expect(readdirSync(folder.path)).toEqual([]);
  removePath(join(folder.path, "a"));
});

testOnWindows("a file is replaced once another program has closed it", async () => {
  using folder = newFolder();
  const path = join(folder.path, "file");
  writeFileSync(path, "old");
  await using _ = await openElsewhere(path, 300);
  await replaceFile(path, "new");
  expect(readFileSync(path, "utf8")).toBe("new");
  expect(readdirSync(folder.path)).toEqual(["file"]);
});

testOnWindows("a file that stays open elsewhere is not waited for any longer than a second", async () => {
  using folder = newFolder();
  const path = join(folder.path, "file");
  writeFileSync(path, "old");
  const holder = await openElsewhere(path, 60_000);
  await expect(replaceFile(path, "new")).rejects.toThrow(/EPERM|EBUSY|EACCES/);
  expect(() => removePath(path)).toThrow(/EPERM|EBUSY|EACCES/);
  holder.kill("SIGKILL");
  await holder.exited;
  expect(readFileSync(path, "utf8")).toBe("old");
  expect(readdirSync(folder.path)).toEqual(["file"]);
});

testNeeding("Windows itself")("what a link leads to outlives the removal of the link's folder", () => {
  using folder = newFolder();
  const kept = join(folder.path, "kept");
  mkdirSync(kept);
  writeFileSync(join(kept, "file"), "x");
  mkdirSync(join(folder.path, "removed"));
  symlinkSync(kept, join(folder.path, "removed", "link"), "junction");
  removePath(join(folder.path, "removed"));
  expect(existsSync(join(folder.path, "removed"))).toBe(false);
  expect(readdirSync(kept)).toEqual(["file"]);
});

testOnWindows("paths of more than 260 characters are written, read and removed", async () => {
  using folder = newFolder();
  const long = join(folder.path, ...Array.from({ length: 6 }, (_, at) => `${at}-${"x".repeat(60)}`));
  expect(long.length).toBeGreaterThan(380);
  await makeDirectory(long);
  const path = join(long, "file.html");
  await replaceFile(path, "a");
  await replaceFile(path, "b");
  await appendText(path, "c");
  expect(readFileSync(path, "utf8")).toBe("bc");
  expect(exists(path)).toBe(true);
});
