// Runs a command of this program for a system that keeps neither its output nor its variables.
import { z } from "zod";
import { closeDescriptor, makePrivateDirectory, openForAppending } from "../../platform/files.ts";
import { isNoOrphan } from "../../platform/orphans.ts";
import { dirname } from "../../platform/paths.ts";
import { selfCommand } from "../../platform/self.ts";
import { boundLog } from "./bounded-log.ts";

const loggedRun = z.object({
  /** The file to which it is appended. */
  log: z.string(),
  variables: z.record(z.string(), z.string()).readonly(),
  /** The words of this program. */
  words: z.array(z.string()).readonly(),
});
/** What to run, and how. */
export type LoggedRun = z.output<typeof loggedRun>;

/** Runs what a text in JSON says, appends what it prints to its file, and returns its exit status. */
export async function runLogged(text: string): Promise<number> {
  const { log, variables, words } = loggedRun.parse(JSON.parse(text));
  makePrivateDirectory(dirname(log));
  boundLog(log);
  const descriptor = openForAppending(log);
  try {
    const child = isNoOrphan(
      Bun.spawn([...selfCommand(), ...words], {
        env: { ...process.env, ...variables },
        stdin: "ignore",
        stdout: descriptor,
        stderr: descriptor,
        windowsHide: true,
      }),
    );
    return await child.exited;
  } finally {
    closeDescriptor(descriptor);
  }
}
