// Writes what follows from declarations: parts of documents between their markers, and docs/limits.md. With `--check`, only
// says whether they are up to date.
import { join } from "node:path";
import { downloads, installation, systems } from "./docs/channels.ts";
import { configurations } from "./docs/configurations.ts";
import { limitsPage } from "./docs/limits.ts";
import { assumptionTable } from "./docs/macos-assumptions.ts";
import { metricTable } from "./docs/metrics.ts";
import { nodeTable } from "./docs/node-imports.ts";
import { rhythmTable } from "./docs/rhythms.ts";
import { withSection } from "./docs/sections.ts";
import { startTable } from "./docs/starts.ts";
import { tables } from "./docs/tables.ts";
import { isPublished, publisher } from "./release/release.ts";

const root = join(import.meta.dir, "..");

// Each document, and what stands between its markers.
const parts: Record<string, Record<string, string[]>> = {
  "README.md": { installation: installation(publisher, isPublished), systems, tools: tables.tools },
  "ARCHITECTURE.md": {
    "node-imports": nodeTable,
    rhythms: rhythmTable,
    starts: startTable,
    "macos-assumptions": assumptionTable,
  },
  "docs/install.md": { downloads, configurations },
  "docs/command-line.md": { commands: tables.commands, "exit-statuses": tables.exitStatuses },
  "docs/fleet.md": { "fleet-settings": tables.fleetSettings, "fleet-policy": tables.fleetPolicy },
  "docs/observability.md": { metrics: metricTable },
  "docs/reference.md": {
    clients: tables.clients,
    "session-options": tables.sessionOptions,
    "batch-options": tables.batchOptions,
    "template-options": tables.templateOptions,
    checks: tables.checks,
    conditions: tables.conditions,
    settings: tables.settings,
  },
};

const written: Record<string, string> = { "docs/limits.md": limitsPage.join("\n") };
for (const [path, sections] of Object.entries(parts)) {
  const text = await Bun.file(join(root, path)).text();
  written[path] = Object.entries(sections).reduce(
    (document, [name, lines]) => withSection(document, name, lines),
    text,
  );
}

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
