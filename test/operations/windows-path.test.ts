// Paths as they are written on Windows.
import { expect, test } from "bun:test";
import { asWindowsHasIt, unusableOnWindows } from "../../src/operations/windows-path.ts";
import { readPath } from "../../src/operations/written-path.ts";
import { testNeeding } from "../facilities.ts";

test("a drive as Git Bash and WSL write it is the drive, unless there is a folder of that name", () => {
  const nothing = () => false;
  const read: [written: string, path: string][] = [
    ["/c/Users/me/out", "C:\\Users\\me\\out"],
    ["/mnt/d/work", "D:\\work"],
    ["/c", "C:\\"],
    ["/cc/work", "/cc/work"],
    ["/mnt/data/x", "/mnt/data/x"],
    ["C:\\c\\x", "C:\\c\\x"],
    ["%UserProfile%\\out", "~\\out"],
    ["$env:USERPROFILE/out", "~/out"],
    ["%USERPROFILE%s", "%USERPROFILE%s"],
  ];
  for (const [written, path] of read) expect(asWindowsHasIt(written, nothing)).toBe(path);
  expect(asWindowsHasIt("/c/work", (path) => path === "/c")).toBe("/c/work");
});

test("names that no file on Windows can have are refused", () => {
  const refused: [path: string, why: string][] = [
    ["C:\\work\\CON", "keeps for a device"],
    ["C:\\work\\nul.txt", "keeps for a device"],
    ["C:\\com1\\out", "keeps for a device"],
    ["C:\\work\\out.", "ends with a dot or a blank"],
    ["C:\\work \\out", "ends with a dot or a blank"],
    ["C:\\work\\a:b", 'contains ":"'],
    ["C:\\work\\what?", 'contains "?"'],
    ["C:\\a\\<b>", 'contains "<"'],
    ["C:\\a\tb", 'contains "\\t"'],
  ];
  for (const [path, why] of refused) expect(unusableOnWindows(path)).toContain(why);
  const usable = [
    "C:\\work\\console",
    "C:\\work\\.hidden\\a.b",
    "\\\\server\\share\\out",
    "\\\\?\\C:\\work",
    "D:\\",
    "C:\\work\\COM10",
    "C:\\work\\null",
  ];
  for (const path of usable) expect(unusableOnWindows(path)).toBeUndefined();
});

testNeeding("Windows")("paths of Windows are read: drives, shares, the home, and what is refused", () => {
  const from = "C:\\work";
  expect(readPath("out", from)).toEqual({ path: "C:\\work\\out" });
  expect(readPath("D:\\a/b", from)).toEqual({ path: "D:\\a\\b" });
  expect(readPath("\\\\server\\share\\a", from)).toEqual({ path: "\\\\server\\share\\a" });
  expect(readPath("file:///C:/a%20b", from)).toEqual({ path: "C:\\a b" });
  const home = process.env["USERPROFILE"] ?? "";
  for (const written of ["~\\x", "%USERPROFILE%\\x", "$HOME/x"])
    expect(readPath(written, from)).toEqual({ path: `${home}\\x` });
  expect(readPath("sub\\NUL", from)).toEqual({ fault: expect.stringContaining("keeps for a device") });
});
