// `bun run build`: compiles the executable for this machine, to `dist/parallel-claude-code-mcp`. It gets the packages
// first, so that it works in a fresh clone. No package is imported here.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import packageJson from "../package.json" with { type: "json" };
import { bytecodeOrdersOf } from "./bytecode-order.ts";
import { outputOf } from "./command.ts";
import { signFileAdHoc } from "./release/sign-ad-hoc.ts";

const root = join(import.meta.dir, "..");

/**
 * The flags of every build. Without the two `no-compile-autoload` ones, the executable would read `.env` and
 * run the `preload` of a `bunfig.toml` found in whatever directory it is started in. With the JIT policy, what runs
 * only once at the start is interpreted instead of compiled, which takes a third off the start's processor time;
 * `src/platform/compiler.ts` changes it later.
 */
export const compileFlags = [
  "--compile",
  "--minify",
  "--sourcemap",
  "--bytecode",
  "--format=esm",
  "--splitting",
  "--compile-jit-policy=64",
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
];

/** Where the executable of this machine is, after `bun run build`. */
export const executable = join(
  root,
  "dist",
  process.platform === "win32" ? "parallel-claude-code-mcp.exe" : "parallel-claude-code-mcp",
);

/**
 * Compiles `src/main.ts`, for this machine or another target, as it is released. Throws with the compiler's words when that
 * fails.
 */
export async function build(outfile = executable, target?: string): Promise<void> {
  mkdirSync(join(root, "dist"), { recursive: true });
  orders ??= recordOrders();
  const folder = mkdtempSync(join(tmpdir(), "pccm-orders-"));
  try {
    const files = (await orders).map((_, index) => join(folder, `${index}.order`));
    await Promise.all((await orders).map((order, index) => Bun.write(files[index] ?? "", order)));
    await compile(main, outfile, target, [`--bytecode-order=${files.join(",")}`]);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
  if (target?.startsWith("bun-darwin-x64")) await signFileAdHoc(outfile, packageJson.name);
}

/** Compiles any program of this project as ours is compiled. `source` is a path from the root. */
export async function compile(
  source: string,
  outfile: string,
  target?: string,
  more: readonly string[] = [],
): Promise<void> {
  const flags = [...compileFlags, ...(target === undefined ? [] : [`--target=${target}`]), ...more];
  await outputOf([process.execPath, "build", ...flags, source, "--outfile", outfile], { cwd: root });
}

/** What is compiled, from the root. */
export const main = "src/main.ts";

// Recorded once for all targets.
let orders: Promise<string[]> | undefined;

// What is compiled first knows no order yet.
async function recordOrders(): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "pccm-first-"));
  try {
    const program = join(folder, process.platform === "win32" ? "program.exe" : "program");
    await compile(main, program);
    return await bytecodeOrdersOf(program);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

if (import.meta.main) {
  const began = performance.now();
  await outputOf([process.execPath, "install", "--frozen-lockfile"], { cwd: root });
  await build();
  const megabytes = (Bun.file(executable).size / 1e6).toFixed(0);
  console.log(
    `dist/parallel-claude-code-mcp: ${megabytes} MB, ${((performance.now() - began) / 1000).toFixed(1)} s`,
  );
}
