// Whether every artifact is the one in SHA256SUMS, the formula and the registry entry.
import { join } from "node:path";
import { faultsOfArtifacts, readChecksums } from "../checksums.ts";
import { archiveOf, bundleOf, dist, release } from "../release.ts";
import { targets } from "../targets.ts";

/** Checks them all, and gives their number; throws an error that names what differs. */
export async function checkedArtifacts(): Promise<number> {
  const faults = await faultsOfArtifacts();
  if (faults.length > 0) throw new Error(faults.join("; "));
  const sums = await readChecksums();
  const formula = await Bun.file(join(dist, "homebrew", `${release.name}.rb`)).text();
  const entry = await Bun.file(join(dist, "server.json")).text();
  for (const target of targets) {
    const archive = archiveOf(target);
    if (formula.includes(archive) && !formula.includes(sums.get(archive) ?? archive))
      throw new Error(`The formula has another checksum for ${archive}`);
    const bundle = bundleOf(target);
    if (entry.includes(bundle) && !entry.includes(sums.get(bundle) ?? bundle))
      throw new Error(`server.json has another checksum for ${bundle}`);
  }
  return sums.size;
}
