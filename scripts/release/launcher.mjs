#!/usr/bin/env node
// Finds the executable of this platform in its npm package, and becomes it. Runs under Node.js 18 and newer, and under Bun.
// The first line names node, for shims on Windows are made from it; where there is only Bun, bunx stands in for node.
import { spawn } from "node:child_process";
import { accessSync, chmodSync, constants as modes, readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { isatty } from "node:tty";

const product = "parallel-claude-code-mcp";
const windows = process.platform === "win32";
const platform = `${windows ? "windows" : process.platform}-${process.arch}${usesMusl() ? "-musl" : ""}`;
const executable = runnable(find());
const args = process.argv.slice(2);

// In our place, the program gets the client's signals itself. Node.js has this from 22.15 on.
if (!windows && typeof process.execve === "function") {
  try {
    process.execve(executable, [executable, ...args], process.env);
  } catch {
    // Bun says so when it was refused: a child does it too, or tells why not.
  }
}
// Asked by number, for `process.stdin` would make the pipe that the child inherits one that does not block.
const terminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
// Before there is a child, for a signal that comes in between must not end us alone.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGCONT"]) {
  if (signal in constants.signals) process.on(signal, () => pass(signal));
}
const child = spawn(executable, args, { stdio: "inherit" });
child.on("error", (error) => {
  // The file is there, so what is not is its loader.
  const why = error.code === "ENOENT" ? "it is not made for this system's C library" : error.message;
  fail(`${product}: ${executable} could not be started: ${why}.`);
});
child.on("exit", (code, signal) => {
  if (signal === null) process.exit(code ?? 1);
  // For a signal that we ignore, such as SIGPIPE, the status says it as a shell would.
  process.exitCode = 128 + constants.signals[signal];
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});

// A terminal sends these to the child too, and the second one would end a batch at once. On Windows the console does, and a
// signal that is passed on would be a kill.
function pass(signal) {
  const sentToBoth = windows || (terminal && ["SIGINT", "SIGHUP", "SIGQUIT"].includes(signal));
  if (!sentToBoth) child.kill(signal);
}

// The loader of the process that we are tells more than files do: a machine may have both.
function usesMusl() {
  if (process.platform !== "linux") return false;
  try {
    return readFileSync("/proc/self/maps", "latin1").includes("/ld-musl-");
  } catch {
    return false;
  }
}

function find() {
  const name = `${product}-${platform}`;
  try {
    const found = createRequire(import.meta.url).resolve(`${name}/package.json`);
    return join(dirname(found), "bin", windows ? `${product}.exe` : product);
  } catch {
    return fail(
      `${product}: the package ${name} is not installed, which holds the program for this platform.\n` +
        "It is an optional dependency: install again without --omit=optional or --no-optional, and on this machine\n" +
        "(a node_modules copied from another system lacks it). If there is no such package, this platform is not supported.",
    );
  }
}

// Some ways of copying a node_modules lose the run bit. This comes first, for Node.js aborts when execve fails.
function runnable(path) {
  try {
    accessSync(path, modes.X_OK);
    return path;
  } catch {
    // Mended below, or told with the reason that is met there.
  }
  try {
    chmodSync(path, 0o755);
    accessSync(path, modes.X_OK);
    return path;
  } catch (error) {
    return fail(`${product}: the program cannot be executed: ${error.message}. Install the package again.`);
  }
}

function fail(message) {
  writeSync(2, `${message}\n`);
  process.exit(1);
}
