// `export`: the results of a batch for other programs, to standard output or a file.
import {
  type ExportAsked,
  exportBatch,
  exportInput,
  type Format,
  formatOf,
  planExport,
} from "../../../operations/export.ts";
import { onStore } from "../../../operations/perform.ts";
import { batchOrLatest, type Command, checkUsage, commandOf, type Invocation } from "../input/command.ts";

const face = commandOf(exportBatch, {
  name: "export",
  otherNames: ["save", "dump", "download"],
  description:
    "Writes the results of a batch for other programs: one row per ended task, to standard output, or with `--file` to a file. A database, and with `--json` anything, goes to a file in the batch's output directory if none is given. If the batch has an output schema, each field of the answers is a column. In CSV, a text that a spreadsheet would compute as a formula gets an apostrophe before it; JSONL has every text unchanged. `--rows` makes a row of each item of a list in the answers, such as findings.",
  examples: [
    ["export latest > results.csv", "Write a table for a spreadsheet"],
    ["export latest --file results.sqlite", "Write a database; the format follows the name"],
    ["export latest --format jsonl | jq .result", "Pass whole results to another program"],
    ["export latest --rows findings", "Write a row for each item of the list `findings`"],
  ],
  positionals: [batchOrLatest],
  present: ({ message }) => message,
});

export const exportCommand: Command = {
  ...face,
  run: async (asked) => {
    const given = checkUsage(exportInput, asked.input);
    const { file = "-" } = given;
    const isText = formatFor(given) !== "sqlite";
    if (file === "-" && isText && asked.own["json"] !== true) return printed(asked, given);
    return face.run(asked);
  },
};

function formatFor({ format, file }: ExportAsked): Format {
  return format ?? formatOf(file) ?? "csv";
}

async function printed({ context, terminal: { out, err } }: Invocation, given: ExportAsked): Promise<number> {
  const { pieces, notes } = await onStore(context, () => planExport(context, given));
  for (const piece of pieces()) await out.print(piece.replace(/\n$/, ""));
  for (const note of notes) void err.tell(note);
  return 0;
}
