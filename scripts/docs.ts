// Writes what follows from declarations: the parts of the README and ARCHITECTURE.md between their markers (channels,
// configurations of clients, tables), and docs/limits.md. With `--check`, only says whether they are up to date.
import { join } from "node:path";
import { channels } from "./docs/channels.ts";
import { configurations } from "./docs/configurations.ts";
import { limitsPage } from "./docs/limits.ts";
import { nodeTable } from "./docs/node-imports.ts";
import { withSection } from "./docs/sections.ts";
import { tables } from "./docs/tables.ts";

const root = join(import.meta.dir, "..");
const sections: Record<string, string[]> = { channels, configurations, ...tables };

const readme = await Bun.file(join(root, "README.md")).text();
const architecture = await Bun.file(join(root, "ARCHITECTURE.md")).text();
const written = {
  "README.md": Object.entries(sections).reduce(
    (text, [name, lines]) => withSection(text, name, lines),
    readme,
  ),
  "ARCHITECTURE.md": withSection(architecture, "node-imports", nodeTable),
  "docs/limits.md": limitsPage.join("\n"),
};

const stale: string[] = [];
for (const [path, text] of Object.entries(written)) {
  const file = Bun.file(join(root, path));
  if ((await file.exists()) && (await file.text()) === text) continue;
  stale.push(path);
  if (!process.argv.includes("--check")) await Bun.write(file, text);
}

if (stale.length === 0) console.log("Generated files are up to date.");
else if (process.argv.includes("--check")) {
  console.error(`Not up to date: ${stale.join(", ")}. Run \`bun run docs\`.`);
  process.exit(1);
} else console.log(`Written: ${stale.join(", ")}.`);
