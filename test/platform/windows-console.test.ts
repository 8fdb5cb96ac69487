// What a console of Windows understands, and what Ctrl-C and Ctrl-Break end there.
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { understandsEscapes } from "../../src/platform/console.ts";
import { testNeeding } from "../facilities.ts";

const root = join(import.meta.dir, "..", "..");
const source = (path: string) => JSON.stringify(join(root, "src", path));

test("elsewhere than on Windows, every terminal understands escapes", () => {
  if (process.platform !== "win32") expect([1, 2].map(understandsEscapes)).toEqual([true, true]);
});

// A hidden window is a console too, and its own output has a name of its own.
async function inConsole(script: string): Promise<string> {
  const child = Bun.spawn([process.execPath, "-e", script], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
    windowsHide: true,
  });
  const [text] = await Promise.all([child.stdout.text(), child.exited]);
  return text.trim();
}

testNeeding("Windows")("escapes are turned on in a console, and a pipe understands none", async () => {
  const found = await inConsole(`
    const { dlopen } = await import("bun:ffi");
    const { turnOnEscapes, understandsEscapes } = await import(${source("platform/console.ts")});
    const { CreateFileW, GetConsoleMode, SetConsoleMode } = dlopen("kernel32.dll", {
      CreateFileW: { args: ["ptr", "u32", "u32", "ptr", "u32", "u32", "u64"], returns: "u64" },
      GetConsoleMode: { args: ["u64", "ptr"], returns: "i32" },
      SetConsoleMode: { args: ["u64", "u32"], returns: "i32" },
    }).symbols;
    const output = CreateFileW(Buffer.from("CONOUT$\\0", "utf16le"), 0xc0000000, 3, null, 3, 0, 0);
    SetConsoleMode(output, 3);
    const on = turnOnEscapes(output);
    const mode = new Uint32Array(1);
    GetConsoleMode(output, mode);
    console.log(JSON.stringify({ on, mode: mode[0], ofPipe: understandsEscapes(1) }));`);
  expect(JSON.parse(found)).toEqual({ on: true, mode: 7, ofPipe: false });
});

testNeeding("Windows itself")("Ctrl-Break ends a command as SIGTERM does elsewhere", async () => {
  // Alone in its console, so that the key reaches nobody else.
  const found = await inConsole(`
    const { dlopen } = await import("bun:ffi");
    const { onEndingSignal } = await import(${source("doors/cli/signals/ending-signals.ts")});
    const { GenerateConsoleCtrlEvent } = dlopen("kernel32.dll", {
      GenerateConsoleCtrlEvent: { args: ["u32", "u32"], returns: "i32" },
    }).symbols;
    const keepAlive = setTimeout(() => {}, 60_000);
    onEndingSignal((status) => {
      console.log(status);
      clearTimeout(keepAlive);
      process.exit(0);
    });
    GenerateConsoleCtrlEvent(1, 0);`);
  expect(found).toBe("143");
});

testNeeding("Windows")("Ctrl-C reaches a command, and no session of it", async () => {
  const found = await inConsole(`
    const { dlopen } = await import("bun:ffi");
    const { GenerateConsoleCtrlEvent, GetConsoleProcessList } = dlopen("kernel32.dll", {
      GenerateConsoleCtrlEvent: { args: ["u32", "u32"], returns: "i32" },
      GetConsoleProcessList: { args: ["ptr", "u32"], returns: "u32" },
    }).symbols;
    const { onEndingSignal } = await import(${source("doors/cli/signals/ending-signals.ts")});
    // As a session is started.
    const session = Bun.spawn([process.execPath, "-e", "console.log(1); setInterval(() => {}, 1e6)"], {
      stdin: "ignore", stdout: "pipe", stderr: "ignore", detached: true, windowsHide: true });
    for await (const _ of session.stdout) break;
    const inConsole = new Uint32Array(16);
    const count = GetConsoleProcessList(inConsole, inConsole.length);
    onEndingSignal((status) => {
      const shares = inConsole.subarray(0, count).includes(session.pid);
      console.log(JSON.stringify({ status, shares, lives: session.exitCode === null }));
      session.kill("SIGKILL");
      process.exit(0);
    });
    GenerateConsoleCtrlEvent(0, 0);`);
  expect(JSON.parse(found)).toEqual({ status: 130, shares: false, lives: true });
});

// On a desktop, each program of the console that is started without this opens a window. Not all folders are listed under Wine.
testNeeding("Linux")(
  "every process that we start on Windows hides its window, unless a window is what it is for",
  async () => {
    const exceptions: Record<string, string> = {
      "operations/open-page.ts": "opens a page",
      "platform/printed.ts": "runs when the program is built",
      "claude/login-shell.ts": "runs no shell on Windows",
      "platform/processes/macos-programs.ts": "runs on macOS",
    };
    const found: string[] = [];
    const paths = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
    for (const path of paths.filter((path) => path.endsWith(".ts"))) {
      const file = path.replaceAll("\\", "/");
      const text = await Bun.file(join(root, "src", path)).text();
      const starts = /Bun\.spawn(?:Sync)?\(/.test(text);
      if (starts && !text.includes("windowsHide: true")) found.push(file);
    }
    expect(found.toSorted()).toEqual(Object.keys(exceptions).toSorted());
  },
);
