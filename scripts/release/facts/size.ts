// How much of an executable is ours.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { outputOf } from "../../command.ts";

/**
 * How much larger than an empty program for the same target an executable may be, in bytes. BullMQ and what it brings, which
 * only batches on a fleet load, takes 6.6 MB of it as bytecode. What serves pages takes 0.3 MB, and traces and metrics 0.4 MB.
 */
export const mostOwnBytes = 20_000_000;

/**
 * The size of an executable with nothing in it, for a target or this machine. That is measured against, and not the file
 * of the runtime: on Linux, Bun writes out 1.8 MB of zeros in front of whatever it embeds, and on macOS and Windows it
 * makes the signature anew or takes it off. None of that is ours to save.
 */
export async function sizeOfEmptyProgram(compiler?: string): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), "pccm-empty-"));
  try {
    const source = join(directory, "empty.ts");
    await Bun.write(source, "");
    const flags = ["--compile", ...(compiler === undefined ? [] : [`--target=${compiler}`])];
    const outfile = join(directory, "empty.exe");
    const command = [process.execPath, "build", ...flags, source, "--outfile", outfile];
    await outputOf(command, { cwd: directory });
    return Bun.file(outfile).size;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
