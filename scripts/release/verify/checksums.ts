// Whether every artifact is the one that SHA256SUMS, the formula and the registry entry tell of.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { archiveOf, bundleOf, dist, release } from "../release.ts";
import { targets } from "../targets.ts";

/** Checks them all, and gives their number; throws an error that names what differs. */
export async function checkedArtifacts(): Promise<number> {
  const list = join(dist, "SHA256SUMS");
  if (!existsSync(list)) throw new Error(`There is no ${list}. Make it: bun run release:build`);
  const sums = new Map<string, string>();
  for (const line of (await Bun.file(list).text()).trimEnd().split("\n")) {
    const [sum = "", path = ""] = line.split("  ");
    sums.set(path, sum);
  }
  for (const [path, sum] of sums) {
    const hasher = new Bun.CryptoHasher("sha256");
    for await (const bytes of Bun.file(join(dist, path)).stream()) hasher.update(bytes);
    if (hasher.digest("hex") !== sum) throw new Error(`${path} is not what SHA256SUMS tells of`);
  }
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
