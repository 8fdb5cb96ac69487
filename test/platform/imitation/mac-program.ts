// Our program as macOS would run it, but on Linux: every question for the name of the system is answered with `darwin`, and
// libSystem is the imitation. So it takes each path that only macOS takes: no `/proc`, no orphans, other folders.
import { join } from "node:path";

const source = join(import.meta.dir, "..", "..", "..", "src");

/** Compiles it to `outfile`. `macRoot`: the root of a `FakeMac`. */
export async function buildMacProgram(outfile: string, macRoot: string): Promise<void> {
  const { success, logs } = await Bun.build({
    entrypoints: [join(source, "main.ts")],
    compile: { outfile },
    target: "bun",
    plugins: [
      {
        name: "macOS on Linux",
        setup: (build) => {
          // Bun's own `define` leaves the name of the system alone.
          build.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, async ({ path }) => ({
            contents: onMac(await Bun.file(path).text(), macRoot),
            loader: "ts",
          }));
        },
      },
    ],
  });
  if (!success) throw new Error(`The program does not compile: ${logs.join("\n")}`);
}

function onMac(text: string, macRoot: string): string {
  return text
    .replaceAll("process.platform", '("darwin" as NodeJS.Platform)')
    .replace('root: ""', `root: ${JSON.stringify(macRoot)}`);
}
