// Runs a command of this program for a system that keeps neither its output nor its variables.
import { z } from "zod";
import { closeDescriptor, makePrivateDirectory, openForAppending } from "../../platform/files.ts";
import { isNoOrphan } from "../../platform/orphans.ts";
import { dirname } from "../../platform/paths.ts";
import { selfCommand } from "../../platform/self.ts";

/**
 * Runs it, appends what it prints to a file, and returns its exit status. `variables`: a list of `NAME=value` in JSON.
 */
export async function runLogged({
  log,
  variables,
  words,
}: {
  log: string;
  variables: string;
  words: readonly string[];
}): Promise<number> {
  const entries = z.array(z.string()).parse(JSON.parse(variables)).map(pairOf);
  makePrivateDirectory(dirname(log));
  const descriptor = openForAppending(log);
  try {
    const child = isNoOrphan(
      Bun.spawn([...selfCommand(), ...words], {
        env: { ...process.env, ...Object.fromEntries(entries) },
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

function pairOf(text: string): [string, string] {
  const index = text.indexOf("=");
  return [text.slice(0, index), text.slice(index + 1)];
}
