// Runs the programs of the system that start things by themselves.
import { isNoOrphan } from "../../platform/orphans.ts";
import { programNamed } from "../../platform/program.ts";
import { reasonOf } from "../../platform/system-error.ts";

/** Such a program only talks to a service of this machine. */
const mostMs = 30_000;

export interface Said {
  ok: boolean;
  /** What it printed, or why it could not be started. */
  text: string;
}

/** Runs a program of the system with its words. */
export async function askSystem([name = "", ...words]: readonly string[]): Promise<Said> {
  const program = programNamed(name, "/", process.env["PATH"]);
  if (program === undefined) return { ok: false, text: `${name} is not installed` };
  try {
    const child = isNoOrphan(
      Bun.spawn([program, ...words], {
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
        windowsHide: true,
        timeout: mostMs,
      }),
    );
    const [out, err, status] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    return { ok: status === 0, text: `${out}${err}`.trim() };
  } catch (error) {
    return { ok: false, text: reasonOf(error) };
  }
}
