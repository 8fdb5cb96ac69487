// What the tests of the launcher share: the runtimes of this machine, packages as npm lays them out, and a program of the tests'
// own in the place of ours.
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { packageOf, release, root } from "../../scripts/release/release.ts";
import { suffixOf } from "../../scripts/release/targets.ts";
import { targetOfThisMachine } from "../../scripts/release/this-machine.ts";

// With `execve` a runtime replaces itself, without it starts a child: Bun and Node.js from 22.15 on have it, and lose it here.
const node = Bun.which("node");
const forget = "Object.defineProperty(process, 'execve', { value: undefined });";
const hasExecve =
  node !== null && Bun.spawnSync([node, "-p", "typeof process.execve"]).stdout.includes("fun");
if (!node) console.warn("No node is here: the launcher is tested under Bun alone.");

/** A directory for what the tests make; they remove it. */
export const base = realpathSync(mkdtempSync(join(tmpdir(), "pccm-launcher-")));
const preload = join(base, "forget.cjs");
writeFileSync(preload, forget);

/** What can run the launcher here, and whether it starts a child. */
export const runtimes = [
  { runtime: "Bun", start: [process.execPath], child: false },
  { runtime: "Bun without execve", start: [process.execPath, "--preload", preload], child: true },
  ...(node ? [{ runtime: "Node.js", start: [node], child: !hasExecve }] : []),
  ...(node && hasExecve
    ? [{ runtime: "Node.js without execve", start: [node, "-r", preload], child: true }]
    : []),
];

const ours = await targetOfThisMachine();
if (!ours) throw new Error(`Internal error: no target for ${process.platform} ${process.arch}`);
/** The platform that the tests run on. */
export const here = ours;

/** Tells what reached it, line by line; then it does what the first argument says. */
export const pretend = `#!${process.execPath}
const [what, ...args] = process.argv.slice(2);
const say = (value) => process.stdout.write(JSON.stringify(value) + "\\n");
switch (what) {
  case "tell":
    say({ args, variable: process.env.LAUNCHED });
    break;
  case "echo":
    for await (const chunk of Bun.stdin.stream()) process.stdout.write(chunk);
    break;
  case "exit":
    process.stderr.write("on stderr");
    process.exit(Number(args[0]));
  case "die":
    process.kill(process.pid, args[0]);
    await Bun.sleep(60_000);
    break;
  case "listen": {
    let interrupts = 0;
    process.on("SIGINT", () => say({ interrupts: ++interrupts }));
    for (const signal of ["SIGTERM", "SIGHUP"]) {
      // Of two signals that come at once, the kernel may have the later one handled first.
      process.on(signal, () => setImmediate(() => { say({ signal, interrupts }); process.exit(0); }));
    }
    say({ listening: true });
    // Whatever becomes of the test, it ends with it.
    for await (const _ of Bun.stdin.stream());
    process.exit(9);
  }
}
`;

/** A `node_modules` with the launcher, and the program in the package of a platform; gives the launcher. */
export function packages(directory: string, platform = packageOf(here), program = pretend): string {
  const modules = join(directory, "node_modules");
  place(join(modules, platform), program);
  return launcherIn(join(modules, release.name));
}

/** The launcher in a directory, as npm puts it there. */
export function launcherIn(directory: string): string {
  const launcher = join(directory, "launcher.mjs");
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "package.json"), `{"name":"${release.name}","type":"module"}`);
  copyFileSync(join(root, "scripts/release/launcher.mjs"), launcher);
  chmodSync(launcher, 0o755);
  return launcher;
}

/** The package of a platform with a program in it; gives the program. */
export function place(platform: string, program: string): string {
  const executable = join(platform, "bin", `${release.name}${suffixOf(here)}`);
  mkdirSync(dirname(executable), { recursive: true });
  writeFileSync(join(platform, "package.json"), "{}");
  writeFileSync(executable, program, { mode: 0o755 });
  return executable;
}

/** What a command did until its end. */
export async function ran(command: string[], { stdin = new Uint8Array(), environment = {} } = {}) {
  const child = Bun.spawn(command, {
    stdin,
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, LAUNCHED: "naïve value", ...environment },
  });
  const [out, err] = await Promise.all([child.stdout.bytes(), child.stderr.text(), child.exited]);
  return { out, err, text: new TextDecoder().decode(out), code: child.exitCode, signal: child.signalCode };
}

/** Reads a stream of JSON lines one by one. */
export async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<unknown> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line);
  }
}

/** A library that a process loads anyway, and does not mind to load under another name. */
export function smallLibrary(): string {
  const maps = readFileSync("/proc/self/maps", "latin1");
  const [found] = /\/\S*\/lib(dl|m|pthread)[.-]\S*/.exec(maps) ?? [];
  if (!found) throw new Error("No library is here to stand for a loader");
  return found;
}
