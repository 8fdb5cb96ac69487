// Which of the targets is for the machine that this runs on.
import { isElf, readElf } from "./facts/elf.ts";
import { type Target, targets } from "./targets.ts";

/** The target of this machine. Bun's own executable tells by its loader which libc there is. */
export async function targetOfThisMachine(): Promise<Target | undefined> {
  const own = Buffer.from(await Bun.file(process.execPath).arrayBuffer());
  const libc = isElf(own) ? readElf(own).libc : undefined;
  return targets.find(
    (target) => target.os === process.platform && target.cpu === process.arch && target.libc === libc,
  );
}
