// `config`: the settings in force, and the source of each.
import { showConfiguration } from "../../../operations/show-configuration.ts";
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
