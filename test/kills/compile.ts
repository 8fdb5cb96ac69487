// Compiles the program whose processes kill themselves. From its source, each of its many starts takes three times as long.
import { basename, dirname, join } from "node:path";
import type { BunPlugin } from "bun";

/** Files of this folder stand in the place of those in `src/platform/` with the same names, which only they import. */
const instead: BunPlugin = {
  name: "kills",
  setup: (build) =>
    void build.onResolve({ filter: /\/(?:whole|private)-files\.ts$/ }, ({ path, importer }) => {
      const isOwn = dirname(importer) === import.meta.dir;
      return isOwn ? undefined : { path: join(import.meta.dir, basename(path)) };
    }),
};

export async function compileKilled(outfile: string): Promise<void> {
  await Bun.build({
    entrypoints: [join(import.meta.dir, "compiled.ts")],
    plugins: [instead],
    target: "bun",
    format: "esm",
    bytecode: true,
    compile: { outfile, autoloadDotenv: false, autoloadBunfig: false },
  });
}

/** How to start it: compiled, if `bun run test` has done that. */
export function killedProgram(): string[] {
  const compiled = process.env["TEST_KILLED_EXECUTABLE"];
  return compiled ? [compiled] : [process.execPath, join(import.meta.dir, "program.ts")];
}
