// Every import of Node's modules, with the reason that stands above it in the source.
import { join } from "node:path";

const platform = join(import.meta.dir, "..", "..", "src", "platform");

export interface NodeImport {
  file: string;
  module: string;
  names: string[];
  /** What Bun has no call for; nothing where the source does not say. */
  lacking: string | undefined;
}

const begin = "// Bun has no call that ";

/** In the order of files and lines. */
export async function nodeImports(): Promise<NodeImport[]> {
  const files = await Array.fromAsync(new Bun.Glob("**/*.ts").scan(platform));
  const found = files.toSorted().map(async (file) => {
    const text = await Bun.file(join(platform, file)).text();
    const imports = text.matchAll(/^(.*)\n(?:import|export) \{([^}]*)\} from "(node:[\w/]+)";$/gm);
    return [...imports].map(([, above = "", names = "", module = ""]) => ({
      file,
      module,
      names: names
        .split(",")
        .map((name) => name.trim().replace(/^type /, ""))
        .filter(Boolean),
      lacking: above.startsWith(begin) ? above.slice(begin.length) : undefined,
    }));
  });
  return (await Promise.all(found)).flat();
}

/** The table in ARCHITECTURE.md. */
export const nodeTable = [
  "| file | import | Bun has no call that |",
  "| --- | --- | --- |",
  ...(await nodeImports()).map(
    ({ file, module, names, lacking = "" }) =>
      `| \`${file}\` | \`${module}\`: ${names.join(", ")} | ${lacking.replace(/\.$/, "")} |`,
  ),
];
