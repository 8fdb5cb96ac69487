// The whole program, as a process in a home of this process: for what only a process of its own can show.
import { program } from "../harness.ts";
import type { Inside } from "../inside.ts";
import { TerminalCommand } from "../pty-harness.ts";

/** Runs it to its end; without `stdin`, with none. */
export async function ownProgram(inside: Inside, argv: readonly string[], stdin?: string) {
  const child = Bun.spawn([...program(), ...argv], {
    cwd: inside.work,
    env: process.env,
    stdin: stdin === undefined ? "ignore" : new Blob([stdin]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [code, out, err] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  return { code, out, err };
}

/** Runs it in a terminal of its own. */
export function inTerminal({ work }: Inside, argv: readonly string[]): TerminalCommand {
  const variables = Object.entries(process.env);
  const environment = Object.fromEntries(
    variables.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  return new TerminalCommand({ work, environment }, argv);
}
