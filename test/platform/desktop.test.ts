// What a desktop is asked, on systems that we may not be on: programs and arguments, and no words in a script.
import { expect, test } from "bun:test";
import { notificationCommand, openCommand } from "../../src/platform/desktop.ts";

const windows = { SystemRoot: "D:\\Windows" };
/** Ends a string of PowerShell's, in each way that it knows, and a command of cmd's. */
const hostile = "’,‘x‘,‘Info‘);calc;(‘ ' \" ` $(calc) ‚‛ “”„ & calc | calc % ^";

const announcement = { program: "p", title: hostile, text: hostile };
const empty = { program: "p", title: "", text: "" };

test("on Windows a notification gets its words by variables, and its script is always the same", () => {
  const notice = notificationCommand(announcement, windows, "win32");
  expect(notice?.variables).toEqual({ NOTICE_TITLE: hostile, NOTICE_TEXT: hostile });
  expect(notice?.command).toEqual(notificationCommand(empty, windows, "win32")?.command ?? []);
  expect(notice?.command[0]).toBe("D:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe");
  expect(notice?.command.at(-1)).toContain("$env:NOTICE_TITLE, $env:NOTICE_TEXT");
});

test("on macOS a notification gets its words as arguments of a script that is always the same", () => {
  const { command = [] } = notificationCommand(announcement, {}, "darwin") ?? {};
  expect(command.slice(3)).toEqual([hostile, hostile]);
  expect(command.slice(0, 3)).toEqual(notificationCommand(empty, {}, "darwin")?.command.slice(0, 3) ?? []);
});

test("on Windows a page is opened without a shell, as one argument", () => {
  const path = "C:\\out\\a&calc&b %PATH% ^ (1)\\index.html";
  expect(openCommand(path, windows, "win32")).toEqual([
    "D:\\Windows\\System32\\rundll32.exe",
    "url.dll,FileProtocolHandler",
    path,
  ]);
  expect(openCommand(path, {}, "win32")?.[0]).toBe("C:\\Windows\\System32\\rundll32.exe");
});

test("on macOS a page is opened by its own opener", () => {
  expect(openCommand("/out/index.html", {}, "darwin")).toEqual(["/usr/bin/open", "/out/index.html"]);
});
