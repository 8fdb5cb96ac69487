// What each start of the program loads: its only declaration. `bun run docs` puts it into ARCHITECTURE.md, and
// `test/loaded-at-start.test.ts` holds the program to it.
import { join, relative } from "node:path";

/** A way to start the program. */
export interface Start {
  /** For people. */
  name: string;
  /** The files in `src/` that are imported with `import()` on the way, behind `main.ts`. */
  through: readonly string[];
  /** The parts of `src/` that it may load: folders and files. */
  loads: readonly string[];
  /** The packages that it may load. */
  packages: readonly string[];
}

const commandLine = ["doors/cli/cli.ts", "doors/cli/trouble.ts"];
/** What describes commands, and finds the one that was meant. */
const described = ["main.ts", "model", "platform", "report/harmless.ts", "doors/cli"];
/** Before the first schema is declared. */
const schemas = "model/interpreted-schemas.ts";
const ofBatch = [
  "main.ts",
  "doors/runner.ts",
  "doors/cli/print-now.ts",
  "model",
  "platform",
  "claude",
  "store",
  "far/commands.ts",
];

export const starts = {
  version: {
    name: "`--version`",
    through: [],
    loads: ["main.ts", "doors/cli/print-now.ts", "model/product.ts", "platform"],
    packages: [],
  },
  help: {
    name: "help, and a misspelt command",
    through: [...commandLine, "doors/cli/described-commands.ts"],
    loads: [...described, "operations/nearest.ts"],
    packages: [],
  },
  completion: {
    name: "completion of commands and options",
    through: ["doors/cli/complete.ts"],
    loads: [...described, "operations/listed-batch.ts", "report/amounts.ts"],
    packages: [],
  },
  server: {
    name: "a server, until its first call",
    through: [schemas, "doors/mcp/stdio/serve.ts"],
    loads: [
      "main.ts",
      "doors/mcp",
      "doors/cli/print-now.ts",
      "model/cut.ts",
      "model/interpreted-schemas.ts",
      "model/product.ts",
      "platform",
      "claude/json-scan.ts",
      "claude/lines.ts",
      "operations/batch-uri.ts",
      "operations/operation.ts",
      "operations/place-text.ts",
      "operations/type-words.ts",
    ],
    packages: ["@modelcontextprotocol/core", "@modelcontextprotocol/server", "zod"],
  },
  starter: {
    name: "the starter of a batch",
    through: [schemas, "doors/runner.ts", "engine/runner/start-processes.ts"],
    loads: [...ofBatch, "engine/runner"],
    packages: ["zod"],
  },
  keeper: {
    name: "a keeper",
    through: [schemas, "doors/runner.ts", "engine/runner/keeper.ts", "store/store.ts"],
    loads: [...ofBatch, "engine/runner"],
    packages: ["zod"],
  },
  runner: {
    name: "a runner",
    through: [schemas, "doors/runner.ts", "engine/runner/runner.ts", "store/database.ts", "store/store.ts"],
    loads: [...ofBatch, "engine", "report"],
    packages: ["@cfworker/json-schema", "zod"],
  },
} as const satisfies Record<string, Start>;
export type StartName = keyof typeof starts;

const source = join(import.meta.dir, "..", "src");

/** The files that a start loads: those of ours from `src/`, and those of packages from their `node_modules/`. */
export interface Loaded {
  files: string[];
  packages: string[];
}

/** What the executable loads for each start, as the bundler divides it. */
export async function loadedAtStarts(): Promise<Record<StartName, Loaded>> {
  const { metafile } = await Bun.build({
    entrypoints: [join(source, "main.ts")],
    target: "bun",
    splitting: true,
    metafile: true,
  });
  const outputs = metafile?.outputs ?? {};
  const entries = new Map(
    Object.entries(outputs).flatMap(([path, { entryPoint }]) =>
      entryPoint === undefined ? [] : [[fileOf(entryPoint), path] as const],
    ),
  );
  const loadedBy = ({ through }: Start): Loaded => {
    const reached = new Set<string>();
    const load = (path: string | undefined) => {
      const output = path === undefined ? undefined : outputs[path];
      if (path === undefined || !output || reached.has(path)) return;
      reached.add(path);
      for (const { kind, path: next } of output.imports) if (kind === "import-statement") load(next);
    };
    for (const file of ["main.ts", ...through]) {
      if (!entries.has(file)) throw new Error(`Nothing imports src/${file} with \`import()\`.`);
      load(entries.get(file));
    }
    const inputs = [...reached].flatMap((path) => Object.keys(outputs[path]?.inputs ?? {}));
    const packages = inputs.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
    return {
      files: inputs
        .filter((path) => !path.includes("node_modules/"))
        .map(fileOf)
        .toSorted(),
      packages: [...new Set(packages)].toSorted(),
    };
  };
  const { version, help, completion, server, starter, keeper, runner } = starts;
  return {
    version: loadedBy(version),
    help: loadedBy(help),
    completion: loadedBy(completion),
    server: loadedBy(server),
    starter: loadedBy(starter),
    keeper: loadedBy(keeper),
    runner: loadedBy(runner),
  };
}

// The bundler writes paths from the directory that it runs in.
function fileOf(path: string): string {
  return relative(source, join(process.cwd(), path)).replaceAll("\\", "/");
}
