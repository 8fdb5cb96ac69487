#!/usr/bin/env node
// Finds the executable of this platform in its npm package, and becomes it. Runs under Node.js 18 and newer, and under Bun.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";

const product = "parallel-claude-code-mcp";
const system = process.platform === "win32" ? "windows" : process.platform;
const platform = `${system}-${process.arch}${usesMusl() ? "-musl" : ""}`;
const executable = find();
const args = process.argv.slice(2);

// In our place, the server gets the client's signals itself. Node.js has this from 22.15 on.
if (process.platform !== "win32" && typeof process.execve === "function") {
  try {
    process.execve(executable, [executable, ...args], process.env);
  } catch {
    // It was refused: a child does it too.
  }
}
const child = spawn(executable, args, { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCONT"]) {
  if (signal in constants.signals) process.on(signal, () => child.kill(signal));
}
child.on("error", (error) => fail(`${executable} could not be started: ${error.message}`));
child.on("exit", (code, signal) => {
  if (signal === null) process.exit(code ?? 1);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});

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
    return join(dirname(found), "bin", process.platform === "win32" ? `${product}.exe` : product);
  } catch {
    return fail(
      `${product}: the package ${name} is not installed, which holds the program for this platform.\n` +
        "It is an optional dependency: install again without --omit=optional or --no-optional, and on this machine\n" +
        "(a node_modules copied from another system lacks it). If there is no such package, this platform is not supported.",
    );
  }
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
