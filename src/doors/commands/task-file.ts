// Tasks out of a file or standard input.
import { UsageFault } from "./command.ts";

/** The tasks of a file; `-` is standard input. Throws `UsageFault` when it cannot be read or has none. */
export async function tasksFromFile(path: string): Promise<string[]> {
  const tasks = tasksFrom(await textOf(path));
  if (tasks.length > 0) return tasks;
  throw new UsageFault([`${nameOf(path)} has no task: expected one a line`]);
}

/** One task a line; blank lines are passed over. */
export function tasksFrom(text: string): string[] {
  return text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

async function textOf(path: string): Promise<string> {
  try {
    return await (path === "-" ? Bun.stdin : Bun.file(path)).text();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageFault([`${nameOf(path)} cannot be read: ${reason}`]);
  }
}

function nameOf(path: string): string {
  return path === "-" ? "standard input" : `the file ${path}`;
}
