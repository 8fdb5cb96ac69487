// Runs a command to its end.

interface CommandOptions {
  cwd: string;
  /** Without one, ours. */
  env?: Record<string, string>;
  /** When it is stopped. */
  timeoutMs?: number;
}

/** What a command printed; throws what it said where it failed. */
export async function outputOf(command: string[], options: CommandOptions): Promise<string> {
  const { code, out, err } = await endOf(command, options);
  if (code === 0) return out;
  throw new Error(`${command.join(" ")} ended with ${code}: ${`${err}${out}`.trim()}`);
}

/** How a command ended, and what it printed. */
export async function endOf(
  command: string[],
  { cwd, env, timeoutMs }: CommandOptions,
): Promise<{ code: number; out: string; err: string }> {
  const child = Bun.spawn(command, {
    cwd,
    ...(env ? { env } : {}),
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [code, out, err] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  return { code, out, err };
}
