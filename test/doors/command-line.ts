// Command lines that run in the process of the test, on standard outputs of their own.
import { closeSync, openSync, readFileSync, rmSync } from "node:fs";
import { runCommandLine } from "../../src/doors/cli/cli.ts";
import { Printer } from "../../src/doors/cli/terminal/terminal.ts";
import type { Inside } from "../inside.ts";

interface Ran {
  code: number;
  out: string;
  err: string;
}

/** Runs a command in the working directory of a home; with `columns`, as in a terminal that wide. */
export async function onCommandLine(
  inside: Inside,
  argv: readonly string[],
  { columns }: { columns?: number } = {},
): Promise<Ran> {
  const before = process.cwd();
  process.chdir(inside.work);
  const names = ["out.txt", "err.txt"].map((name) => inside.file(name));
  const descriptors = names.map((name) => openSync(name, "w"));
  try {
    const [out, err] = descriptors.map((fd) => {
      const terminal = { isTTY: true, getWindowSize: (): [number, number] => [columns ?? 80, 24] };
      return new Printer(columns === undefined ? { fd } : { fd, ...terminal });
    });
    if (!out || !err) throw new Error("no printers");
    const code = await runCommandLine(argv, { out, err });
    await out.done();
    await err.done();
    const [written = "", told = ""] = names.map((name) => readFileSync(name, "utf8"));
    return { code, out: written, err: told };
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor);
    for (const name of names) rmSync(name);
    process.chdir(before);
  }
}
