// The settings in force, and the source of each.
import { z } from "zod";
import { configurationSchema, settingNames, variableOf } from "../model/configuration.ts";
import { exists } from "../platform/files.ts";
import type { Operation } from "./operation.ts";

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

export const showConfiguration: Operation<typeof input, typeof output> = {
  title: "Show all settings and where they come from",
  description:
    "Shows every operator setting with its value and its source: the default, the file, or a variable. Variables take precedence over the file, and the file over defaults.",
  input,
  output,
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
