// Finds the browser that the tests of the pages need.
import { existsSync } from "node:fs";

const names = [
  "chromium-headless-shell",
  "chromium",
  "chromium-browser",
  "google-chrome-stable",
  "google-chrome",
];

/** Where a Chromium is, if there is one: what `BUN_CHROME_PATH` says, else what is on the PATH. */
export function chromiumPath(): string | undefined {
  const given = process.env["BUN_CHROME_PATH"];
  if (given !== undefined && existsSync(given)) return given;
  return names.map((name) => Bun.which(name)).find((found) => found !== null) ?? undefined;
}
