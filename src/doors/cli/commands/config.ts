// `config`: the settings in force, and the source of each.
import { z } from "zod";
import { configurationSchema, settingNames, variableOf } from "../../../model/configuration.ts";
import type { Operation } from "../../../operations/operation.ts";
import { exists } from "../../../platform/files.ts";
import { commandOf } from "../input/command.ts";
import { fit } from "../terminal/fit.ts";
import { table } from "../terminal/table.ts";

/** Most columns of a list, so that a long one does not push the others out of sight. Paths stay whole. */
const listWidth = 60;

const input = z.strictObject({});
const output = z.object({
  file: z.string(),
  fileExists: z.boolean(),
  faults: z.array(z.string()).meta({ description: "What is wrong with settings that have no value here." }),
  warnings: z.array(z.string()).meta({ description: "Settings that are not known and have no effect." }),
  settings: z.array(
    z.object({
      name: z.enum(settingNames),
      value: z.unknown(),
      source: z.string().meta({ description: "`default`, the file, or the variable's name." }),
      variable: z.string(),
      description: z.string(),
    }),
  ),
});

const showConfiguration: Operation<typeof input, typeof output> = {
  name: "show_configuration",
  title: "Show all settings and where they come from",
  description:
    "Shows every operator setting with its value and its source: the default, the file, or a variable. Variables take precedence over the file, and the file over defaults.",
  input,
  output,
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  run: async ({ inForce: { file, settings, faults, warnings } }) => ({
    file,
    faults,
    warnings,
    fileExists: exists(file),
    settings: settings.map((setting) => ({
      ...setting,
      variable: variableOf(setting.name),
      description: configurationSchema.shape[setting.name].unwrap().description ?? "",
    })),
  }),
};

export const config = commandOf(showConfiguration, {
  name: "config",
  otherNames: ["settings", "configuration"],
  examples: [
    ["config", "Show every setting and where its value comes from"],
    ["config --json | jq -r .file", "Print the path of the file"],
  ],
  alone: true,
  // Unknown names were reported on standard error already.
  present: ({ file, fileExists, settings, faults }, { terminal: { out } }) => {
    const rows = settings.map(({ name, value, source, variable }) => [
      name,
      valueCell(value),
      source,
      variable,
    ]);
    const columns = [{ title: "SETTING" }, { title: "VALUE" }, { title: "FROM" }, { title: "VARIABLE" }];
    const there = fileExists ? "" : " (does not exist)";
    const wrong =
      faults.length === 0 ? "" : `\n\nWrong, and without a value until it is fixed:\n${faults.join("\n")}`;
    const whole = rows.some(([, value]) => value?.endsWith("…"))
      ? "\n\n`config --json` prints whole values."
      : "";
    return `File: ${file}${there}\n\n${table(columns, rows, out)}${whole}${wrong}`;
  },
});

function valueCell(value: unknown): string {
  if (value === undefined) return "–";
  return typeof value === "string" ? value : fit(JSON.stringify(value), listWidth);
}
