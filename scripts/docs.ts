// Writes the parts of the README that follow from declarations between their markers: channels, configurations of
// clients, and tables. With `--check`, only says whether they are up to date.
import { join } from "node:path";
import { channels } from "./docs/channels.ts";
import { configurations } from "./docs/configurations.ts";
import { withSection } from "./docs/sections.ts";
import { tables } from "./docs/tables.ts";

const readme = join(import.meta.dir, "..", "README.md");
const sections: Record<string, string[]> = { channels, configurations, ...tables };

const before = await Bun.file(readme).text();
let after = before;
for (const [name, lines] of Object.entries(sections)) after = withSection(after, name, lines);

if (after === before) console.log("The README's generated parts are up to date.");
else if (process.argv.includes("--check")) {
  console.error("The README's generated parts are not up to date: run `bun run docs`.");
  process.exit(1);
} else {
  await Bun.write(readme, after);
  console.log("The README's generated parts have been written.");
}
