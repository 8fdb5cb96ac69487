// Installs what is needed, checks format, types and generated texts, and runs every test. Its last line is the
// count: `N passed, N failed`, and elsewhere than in CI how many were skipped and what they need; before it stands once
// more what failed, for of a long output often only the end is kept. In CI on Debian, where
// everything can be had, a test that is skipped has failed, unless an older Claude Code lacks what it is about. Nothing
// but Bun is taken for granted, so no package is imported here.
import { join } from "node:path";
import { failuresIn, failuresText } from "./verify/failures.ts";
import {
  isLackOfVersion,
  isOfDebian,
  isOfOtherProcessor,
  isOfWindows,
  type Skips,
  skipsIn,
  skipsText,
  sumOf,
} from "./verify/skips.ts";

const root = join(import.meta.dir, "..");
const bun = process.execPath;

interface Step {
  what: string;
  command: string[];
  /** Whether its output ends in the counts of `bun test`. */
  counts?: boolean;
  environment?: Record<string, string>;
}

const steps: Step[] = [
  { what: "Install", command: [bun, "install", "--frozen-lockfile"] },
  { what: "Check format, types and generated texts", command: [bun, "run", "check"] },
  { what: "Get what tests need", command: [bun, "test/get-facilities.ts"] },
  { what: "Test", command: [bun, "run", "test"], counts: true },
  { what: "Test with the default configuration", command: [bun, "run", "test:delivered"], counts: true },
  { what: "Test under Wine", command: [bun, "run", "test:wine"], counts: true },
  {
    what: "Test with the latest real claude",
    command: [bun, "run", "test:real"],
    counts: true,
    // Which calls a rule allows takes two thirds of the time; `test:versions` tests all of that, with every version.
    environment: { REAL_CLAUDE_VERSION: "latest", REAL_ADVICE: "some" },
  },
  {
    what: "Test with the oldest supported real claude",
    // Without what is only about rules, which `test:versions` tests with every version, and about newer versions.
    command: [bun, "run", "test:real", "--except", "advice,reach,prefix,many-files,one-process"],
    counts: true,
    environment: { REAL_CLAUDE_VERSION: "oldest" },
  },
];

let passed = 0;
let failed = 0;
let skips: Skips = new Map();
const said: string[] = [];

for (const { what, command, counts, environment } of steps) {
  console.log(`\n== ${what}`);
  const { code, output } = await run(command, environment);
  if (counts) {
    passed += count(output, "pass");
    failed += count(output, "fail");
    skips = sumOf(skips, skipsIn(output));
    said.push(...failuresText(what, failuresIn(output)));
  }
  if (code === 0) continue;
  // A step that fails without a failed test (a type error, a crash of the runner) is a failure all the same.
  if (!counts || count(output, "fail") === 0) failed += 1;
  console.log(`${what} ended with ${code}.`);
  if (!counts) break;
}

const inCi = Boolean(process.env["CI"]);
if (inCi && Bun.which("apt-get")) {
  const isExcused = (reason: string) =>
    isLackOfVersion(reason) || isOfWindows(reason) || isOfOtherProcessor(reason) || isOfDebian(reason);
  const needless = new Map([...skips].filter(([reason]) => !isExcused(reason)));
  for (const [reason, number] of needless) {
    console.log(`${number} tests must not be skipped here: ${reason}.`);
    failed += number;
  }
}
if (said.length > 0) console.log(`\n== What failed\n\n${said.join("\n\n")}`);
const skipped = skipsText(skips);
if (inCi && skipped !== "") console.log(`\n${skipped}`);
console.log(`\n${passed} passed, ${failed} failed${inCi || skipped === "" ? "" : `; ${skipped}`}`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);

// Shown as it comes, and kept for its counts.
async function run(
  command: string[],
  environment: Step["environment"],
): Promise<{ code: number; output: string }> {
  // Without CI=1, a missing snapshot would be written instead of failing.
  const env = { ...process.env, CI: "1", NO_COLOR: "1", ...environment };
  const child = Bun.spawn(command, { cwd: root, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  let output = "";
  const show = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      const text = decoder.decode(bytes, { stream: true });
      output += text;
      process.stdout.write(text);
    }
  };
  await Promise.all([show(child.stdout), show(child.stderr)]);
  return { code: await child.exited, output };
}

function count(output: string, word: "pass" | "fail"): number {
  return Number(output.match(new RegExp(`^ *(\\d+) ${word}$`, "m"))?.[1] ?? 0);
}
