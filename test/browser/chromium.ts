// Finds the browser that the tests of the pages need. Run as a program, it installs one where it may: in CI, where
// the machine is nobody's own, as root of a Debian. `scripts/verify.ts` does that before all tests, which run side by side.
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

if (import.meta.main && chromiumPath() === undefined) await install();

async function install(): Promise<void> {
  const apt = Bun.which("apt-get");
  if (!process.env["CI"] || process.getuid?.() !== 0 || apt === null)
    return console.log("There is no Chromium; the tests of the pages will be skipped.");
  const run = (...args: string[]) =>
    Bun.spawn([apt, "-qq", ...args], {
      cwd: "/",
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
      timeout: 300_000,
    }).exited;
  await run("update");
  for (const name of ["chromium-headless-shell", "chromium"]) {
    if ((await run("install", "-y", "--no-install-recommends", name)) !== 0) continue;
    return console.log(`Installed ${name}, for the tests of the pages.`);
  }
  console.log("No Chromium could be installed; the tests of the pages will be skipped.");
}
