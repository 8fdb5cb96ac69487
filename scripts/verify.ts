// Installs what is needed, checks format, types and generated texts, and runs every test. Its last line is the
// count: `N passed, N failed`; how many were skipped stands above it, and they count as neither. Nothing but Bun is
// taken for granted, so no package is imported here.
import { join } from "node:path";

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
  { what: "Look for a browser", command: [bun, "test/browser/chromium.ts"] },
  { what: "Test", command: [bun, "run", "test"], counts: true },
  {
    what: "Test with the latest real claude",
    command: [bun, "run", "test:real"],
    counts: true,
    environment: { REAL_CLAUDE_VERSION: "latest" },
  },
  {
    what: "Test with the oldest supported real claude",
    command: [bun, "run", "test:real"],
    counts: true,
    environment: { REAL_CLAUDE_VERSION: "oldest" },
  },
];

let passed = 0;
let failed = 0;
let skipped = 0;

for (const { what, command, counts, environment } of steps) {
  console.log(`\n== ${what}`);
  const { code, output } = await run(command, environment);
  if (counts) {
    passed += count(output, "pass");
    failed += count(output, "fail");
    skipped += count(output, "skip");
  }
  if (code === 0) continue;
  // A step that fails without a failed test (a type error, a crash of the runner) is a failure all the same.
  if (!counts || count(output, "fail") === 0) failed += 1;
  console.log(`${what} ended with ${code}.`);
  if (!counts) break;
}

if (skipped > 0)
  console.log(`\n${skipped} skipped: marked "(skip)" above; what they lack stands beside them.`);
console.log(`\n${passed} passed, ${failed} failed`);
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

function count(output: string, word: "pass" | "fail" | "skip"): number {
  return Number(output.match(new RegExp(`^ *(\\d+) ${word}$`, "m"))?.[1] ?? 0);
}
