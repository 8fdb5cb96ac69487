// `bun run build`: compiles the executable for this machine, to `dist/parallel-claude-code-mcp`. It gets the packages
// first, so that it works in a fresh clone. No package is imported here.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../package.json" with { type: "json" };
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

/** Compiles `src/main.ts`, for this machine or another target. Throws with the compiler's words when that fails. */
export async function build(outfile = executable, target?: string): Promise<void> {
  mkdirSync(join(root, "dist"), { recursive: true });
  await compile("src/main.ts", outfile, target);
  if (target?.startsWith("bun-darwin-x64")) await signFileAdHoc(outfile, packageJson.name);
}

/** Compiles any program of this project as ours is compiled. `source` is a path from the root. */
export async function compile(source: string, outfile: string, target?: string): Promise<void> {
  const flags = target === undefined ? compileFlags : [...compileFlags, `--target=${target}`];
  await outputOf([process.execPath, "build", ...flags, source, "--outfile", outfile], { cwd: root });
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
