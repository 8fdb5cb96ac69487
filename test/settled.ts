// For tests of answers that are used again.
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { filesBelow } from "./files-below.ts";
import { eventually, type Home } from "./harness.ts";

/**
 * Resolves when the files have been as they are for longer than what is changed in the moment of a start: an answer that
 * may depend on such a change is not remembered.
 */
export async function settled(home: Home): Promise<void> {
  const paths = [home.path, home.work, ...filesBelow(home.work, "")];
  const changedAt = Math.max(...paths.map((path) => statSync(resolve(home.work, path)).ctimeMs));
  await eventually(
    () => Date.now() - changedAt > 400,
    () => "the files grow old",
  );
}
