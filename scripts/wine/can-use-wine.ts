// Whether programs of Windows can run here.
import { facilities } from "../../test/facilities.ts";

const needed = ["Wine", "a compiler for Windows", "Bun's runtime for Windows"] as const;

/** Gets what can be had, and says on stdout what is lacking. `otherwise`: what then does not happen. */
export async function canUseWine(otherwise: string): Promise<boolean> {
  // A compiler downloads it on its first use. Packages are `test/get-facilities.ts`' matter.
  const runtime = facilities["Bun's runtime for Windows"];
  if (facilities.Wine.isThere() && !runtime.isThere()) await runtime.get?.();
  const lacking = needed.filter((name) => !facilities[name].isThere());
  if (lacking.length > 0) console.log(`${otherwise}, because this is lacking: ${lacking.join(", ")}.`);
  return lacking.length === 0;
}
