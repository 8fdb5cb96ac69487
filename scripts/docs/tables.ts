// The tables of options, settings, commands, clients and tools, out of their declarations.
import { z } from "zod";
import { commands } from "../../src/doors/cli/all-commands.ts";
import { usageOf } from "../../src/doors/cli/view/help.ts";
import { expectation, stopCondition } from "../../src/model/checks.ts";
import { configurationSchema, variableOf } from "../../src/model/configuration.ts";
import { exitTable } from "../../src/model/exit-status.ts";
import { fleetSettings, workerPolicy } from "../../src/model/fleet.ts";
import { batchOptions, sessionOptions } from "../../src/model/options.ts";
import { declaredProse, namesText } from "../../src/model/prose.ts";
import { clientTable } from "../../src/operations/client-limits.ts";
import { templateLimits, templateOptions } from "../../src/operations/inputs/for-each.ts";
import { parallelInput } from "../../src/operations/spawn-input.ts";
import { tools } from "../../src/operations/tools.ts";
import { firstSentence } from "../first-sentence.ts";

const property = z.looseObject({
  description: z.string().default(""),
  more: declaredProse.default(""),
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
    return `| ${name(key)} | ${typeText(field)} | ${preset} | ${`${field.description} ${namesText(field.more)}`.trim()} |`;
  });
}

function typeText({ type, enum: values, anyOf, items }: z.infer<typeof property>): string {
  if (values) return values.map((value) => `\`${value}\``).join(", ");
  if (anyOf) return anyOf.map((one) => (one.type === "array" ? "list" : one.type)).join(" or ");
  return items ? `list of ${items.type}s` : (type ?? "any");
}

const head = ["| name | type | default | meaning |", "| --- | --- | --- | --- |"];

export const tables = {
  sessionOptions: [...head, ...rowsOf(sessionOptions, (key) => `\`${key}\``)],
  batchOptions: [...head, ...rowsOf(batchOptions, (key) => `\`${key}\``)],
  templateOptions: [
    ...head,
    ...rowsOf(
      z.object({ ...templateOptions, ...templateLimits, ...parallelInput.pick({ dryRun: true }).shape }),
      (key) => `\`${key}\``,
    ),
  ],
  checks: [...head, ...rowsOf(expectation, (key) => `\`${key}\``)],
  conditions: [...head, ...rowsOf(stopCondition, (key) => `\`${key}\``)],
  settings: [
    "| name | variable | type | default | meaning |",
    "| --- | --- | --- | --- | --- |",
    ...rowsOf(configurationSchema, (key) => `\`${key}\` | \`${variableOf(key)}\``),
  ],
  fleetSettings: [...head, ...rowsOf(fleetSettings, (key) => `\`${key}\``)],
  fleetPolicy: [...head, ...rowsOf(workerPolicy, (key) => `\`${key}\``)],
  commands: [
    "| command | what it does |",
    "| --- | --- |",
    ...commands.map(
      (command) => `| \`${usageOf(command).split(" ").slice(1, -1).join(" ")}\` | ${command.summary} |`,
    ),
  ],
  exitStatuses: exitTable(),
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
    ...tools.map(({ name, description, annotations }) => {
      return `| \`${name}\` | ${annotations.readOnlyHint ? "no" : "yes"} | ${firstSentence(description)} |`;
    }),
  ],
};
