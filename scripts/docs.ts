// Writes the README's tables of options, settings and tools between their markers, out of the declarations.
// With `--check`, only says whether they are up to date.
import { join } from "node:path";
import { z } from "zod";
import { usageOf } from "../src/doors/commands/help.ts";
import { commands } from "../src/doors/commands.ts";
import { configurationSchema, variableOf } from "../src/model/configuration.ts";
import { batchOptions, sessionOptions } from "../src/model/options.ts";
import { clientTable } from "../src/operations/clients.ts";
import { tools } from "../src/operations/tools.ts";

const readme = join(import.meta.dir, "..", "README.md");

const property = z.looseObject({
  description: z.string().optional(),
  default: z.unknown().optional(),
  type: z.string().optional(),
  enum: z.array(z.string()).optional(),
  anyOf: z.array(z.looseObject({ type: z.string() })).optional(),
  items: z.looseObject({ type: z.string() }).optional(),
});

function rowsOf(schema: z.ZodObject, name: (key: string) => string): string[] {
  const { properties } = z
    .object({ properties: z.record(z.string(), property) })
    .parse(z.toJSONSchema(schema, { io: "input" }));
  return Object.entries(properties).map(([key, field]) => {
    const preset = field.default === undefined ? "–" : `\`${JSON.stringify(field.default)}\``;
    return `| ${name(key)} | ${typeText(field)} | ${preset} | ${field.description ?? ""} |`;
  });
}

function typeText({ type, enum: values, anyOf, items }: z.infer<typeof property>): string {
  if (values) return values.map((value) => `\`${value}\``).join(", ");
  if (anyOf) return anyOf.map((one) => (one.type === "array" ? "list" : one.type)).join(" or ");
  return items ? `list of ${items.type}s` : (type ?? "any");
}

const head = ["| name | type | default | meaning |", "| --- | --- | --- | --- |"];
const sections: Record<string, string[]> = {
  "session-options": [...head, ...rowsOf(sessionOptions, (key) => `\`${key}\``)],
  "batch-options": [...head, ...rowsOf(batchOptions, (key) => `\`${key}\``)],
  settings: [
    "| name | variable | type | default | meaning |",
    "| --- | --- | --- | --- | --- |",
    ...rowsOf(configurationSchema, (key) => `\`${key}\` | \`${variableOf(key)}\``),
  ],
  commands: [
    "| command | what it does |",
    "| --- | --- |",
    ...commands.map(
      (command) => `| \`${usageOf(command).split(" ").slice(1, -1).join(" ")}\` | ${command.summary} |`,
    ),
  ],
  clients: [
    "| client | a call waits | its model sees | why |",
    "| --- | --- | --- | --- |",
    ...clientTable.map(({ client, waitSeconds, sees, source }) => {
      const seen = { text: "the text", data: "the data", either: "either" }[sees];
      return `| ${client} | ${waitSeconds.toLocaleString("en")} s | ${seen} | ${source} |`;
    }),
  ],
  tools: [
    "| tool | changes anything | what it does |",
    "| --- | --- | --- |",
    ...tools.map((tool) => {
      const [first = ""] = tool.description.split(/(?<=\.) /);
      return `| \`${tool.name}\` | ${tool.annotations.readOnlyHint ? "no" : "yes"} | ${first} |`;
    }),
  ],
};

const before = await Bun.file(readme).text();
let after = before;
for (const [name, lines] of Object.entries(sections)) {
  const block = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`);
  if (!block.test(after)) throw new Error(`README.md has no markers for ${name}`);
  after = after.replace(block, (_, begin: string, end: string) => `${begin}\n${lines.join("\n")}\n\n${end}`);
}

if (after === before) console.log("The README's tables are up to date.");
else if (process.argv.includes("--check")) {
  console.error("The README's tables are not up to date: run `bun run docs`.");
  process.exit(1);
} else {
  await Bun.write(readme, after);
  console.log("The README's tables have been written.");
}
