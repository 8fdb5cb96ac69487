// In CI, where the machine is nobody's own, gets what tests need and the machine lacks: from Debian, as root. Elsewhere it
// installs nothing. `bun run verify` runs this before all tests, which run side by side.
import { facilities } from "./facilities.ts";

const lacking = Object.entries(facilities).filter(([, { isThere }]) => !isThere());
if (lacking.length === 0) console.log("Everything that tests need is here.");
else if (process.env["CI"]) await getAll();
else console.log(`Tests that need one of these will be skipped: ${namesOf(lacking)}.`);

async function getAll(): Promise<void> {
  const apt = aptCommand();
  if (apt) await aptGet(apt, "update");
  for (const [, { debian = [], get }] of lacking) {
    // One by one, for a package that is not there would keep all others from being installed.
    if (apt)
      for (const name of debian)
        if (await aptGet(apt, "install", "-y", "--no-install-recommends", name)) break;
    await get?.();
  }
  const left = lacking.filter(([, { isThere }]) => !isThere());
  const got = lacking.filter((one) => !left.includes(one));
  if (got.length > 0) console.log(`Installed for the tests: ${namesOf(got)}.`);
  if (left.length > 0) console.log(`Not to be had, so that tests will be skipped: ${namesOf(left)}.`);
}

/** The command that installs Debian's packages; nothing where there is none, or where we may not. */
function aptCommand(): string[] | undefined {
  const apt = Bun.which("apt-get");
  if (apt === null) return undefined;
  if (process.getuid?.() === 0) return [apt];
  const sudo = Bun.which("sudo");
  return sudo === null ? undefined : [sudo, "-n", apt];
}

async function aptGet(apt: readonly string[], ...words: string[]): Promise<boolean> {
  // Another program may be installing at this moment.
  const child = Bun.spawn([...apt, "-qq", "-o", "DPkg::Lock::Timeout=120", ...words], {
    cwd: "/",
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    timeout: 300_000,
  });
  const [said, code] = await Promise.all([child.stderr.text(), child.exited]);
  if (code !== 0) console.log(`apt-get ${words.join(" ")} ended with ${code}: ${said.trim()}`);
  return code === 0;
}

function namesOf(entries: readonly (readonly [string, unknown])[]): string {
  return entries.map(([name]) => name).join(", ");
}
