// The settings in force, and the source of each.
import { z } from "zod";
import { configurationSchema, settingNames, variableOf } from "../model/configuration.ts";
import { exists } from "../platform/files.ts";
import { changeSetting } from "./change-setting.ts";
import { type InForce, readConfiguration } from "./configuration.ts";
import { valueOrThrow } from "./context.ts";
import { check } from "./faults.ts";
import type { Operation } from "./operation.ts";
import { UserError } from "./user-error.ts";

/** What `config` can do, in the order of help. */
export const configurationActions = ["list", "set", "unset"] as const;

const input = z.strictObject({
  action: z.enum(configurationActions).default("list"),
  name: z.string().min(1).optional(),
  value: z.string().optional(),
});
const output = z.object({
  message: z.string().optional().meta({ description: "What was changed." }),
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
  title: "Show all settings and where they come from, or change one",
  description:
    "Shows every operator setting with its value and its source: the default, the file, or a variable. Variables take precedence over the file, and the file over defaults. `set` writes one into the file, in the form that its variable has, after checking it; `unset` takes it out. Everything else in it stays as it is.",
  input,
  output,
  run: async ({ inForce }, given) => {
    const { action, name, value } = valueOrThrow(check(input, given));
    if (action === "list") {
      if (name !== undefined)
        throw new UserError(
          "`config list` takes no more words. `config` lists all settings, `config set NAME VALUE` changes one, and `config unset NAME` removes one.",
        );
      return shown(inForce);
    }
    const usage = action === "set" ? "config set NAME VALUE" : "config unset NAME";
    if (name === undefined || (value === undefined) !== (action === "unset"))
      throw new UserError(`Write it as \`${usage}\`. Nothing was changed.`);
    const { message } = await changeSetting(inForce.file, { name, value });
    return { message, ...shown(readConfiguration()) };
  },
};

function shown({ file, settings, faults, warnings }: InForce): z.output<typeof output> {
  return {
    file,
    faults,
    warnings,
    fileExists: exists(file),
    settings: settings.map((setting) => ({
      ...setting,
      variable: variableOf(setting.name),
      description: configurationSchema.shape[setting.name].unwrap().description ?? "",
    })),
  };
}
