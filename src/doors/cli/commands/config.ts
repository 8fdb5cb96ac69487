// `config`: the settings in force, and the source of each; and changes of one.
import { configurationActions, showConfiguration } from "../../../operations/show-configuration.ts";
import { commandOf } from "../input/command.ts";
import { fit } from "../terminal/fit.ts";
import { table } from "../terminal/table.ts";

/** Most columns of a list, so that a long one does not push the others out of sight. Paths stay whole. */
const listWidth = 60;

export const config = commandOf(showConfiguration, {
  name: "config",
  otherNames: ["settings", "configuration"],
  examples: [
    ["config", "Show every setting and where its value comes from"],
    ["config set concurrency 8", "Run at most eight sessions at once on this machine"],
    ["config unset concurrency", "Go back to the default"],
    ["config --json | jq -r .file", "Print the path of the file"],
  ],
  positionals: [
    {
      property: "action",
      placeholder: "ACTION",
      description: `One of ${configurationActions.join(", ")} (default: list).`,
      required: false,
      many: false,
      isTask: false,
      choices: configurationActions,
    },
    {
      property: "name",
      placeholder: "NAME",
      description: "The setting, as in the list.",
      required: false,
      many: false,
      isTask: false,
    },
    {
      property: "value",
      placeholder: "VALUE",
      description: "Its value, as its variable would have it: a number, `true`, a path, or JSON.",
      required: false,
      many: false,
      isTask: false,
    },
  ],
  alone: true,
  isPaged: true,
  // Unknown names were reported on standard error already.
  present: ({ message, file, fileExists, settings, faults }, { terminal: { out } }) => {
    if (message !== undefined) return message;
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
