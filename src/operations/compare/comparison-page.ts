// The page of a comparison, as a file, and opened in a browser where that is asked for.
import { resultFilesOf } from "../../engine/output/result-file.ts";
import type { BatchId } from "../../model/batch-id.ts";
import type { DoneTask } from "../../model/state.ts";
import { messageOf } from "../../platform/system-error.ts";
import {
  type CellView,
  comparisonPage,
  mostRows,
  type TaskComparison,
} from "../../report/comparison-page.ts";
import { sideRows } from "../../report/diff/side-by-side.ts";
import { isOurComparison } from "../../report/file-tag.ts";
import { outcomeText } from "../../report/outcome-text.ts";
import { statusWord } from "../../report/row.ts";
import { type Context, valueOrThrow } from "../context.ts";
import { check } from "../faults.ts";
import type { Operation } from "../operation.ts";
import { pageOptions, pageOutput, placeOfPage, writePage } from "../page-file.ts";
import { answerText, differenceOf, linesOfBoth } from "./answers.ts";
import { compared, compareInput, countsOf, summaryText } from "./compare.ts";
import { type ComparedRow, doneOf } from "./compared-rows.ts";
import type { Place } from "./sides.ts";

/** Most tasks on a page. */
const mostTasks = 2_000;
/** Of an answer that is shown without another one beside it, in characters. */
const longestText = 6_000;
/** All texts of a page, in characters: a browser shows that within a second or two. */
const mostCharacters = 8_000_000;

const input = compareInput.extend(pageOptions("the comparison"));

export const writeComparison: Operation<typeof input, typeof pageOutput> = {
  title: "Write a comparison as a page",
  description: "Writes the comparison of two batches, or of the variants in one, as a page.",
  input,
  output: pageOutput,
  run: async (context, given) => {
    const asked = valueOrThrow(check(input, given));
    const { table, rows, matching } = await compared(context, asked);
    const listed = matching.slice(asked.offset, asked.offset + Math.min(asked.limit ?? mostTasks, mostTasks));
    const path = await placeOfPage(context, asked, {
      usual: () => usualPlace(context, table.batchIds),
      isNone: "no comparison",
      isOurs: isOurComparison,
    });
    const files = await filesOf(listed);
    const budget = { left: mostCharacters };
    const tasks = listed.map((row) => taskComparison(row, files, budget));
    const html = comparisonPage({
      columns: table.columns,
      counts: countsOf(rows),
      message: summaryText(table, rows),
      tasks,
      leftOut: matching.length - listed.length,
      now: Date.now(),
    });
    return await writePage(path, html, { ...asked, tag: "comparison" });
  },
};

// In the folder of the later batch, with which `prune` removes it.
function usualPlace({ store }: Context, batchIds: readonly BatchId[]): string {
  const [earlier, later = earlier] = batchIds;
  if (later === undefined) throw new Error("Internal error: a comparison is about no batch");
  return store.layout.comparison(later, earlier === later ? undefined : earlier);
}

type Files = ReadonlyMap<Place["state"], ReadonlyMap<number, string>>;

// The page of each task's own result.
async function filesOf(rows: readonly ComparedRow[]): Promise<Files> {
  const tasks = new Map<Place["state"], DoneTask[]>();
  for (const place of rows.flatMap(({ places }) => places)) {
    const done = doneOf(place);
    if (place && done) tasks.set(place.state, [...(tasks.get(place.state) ?? []), done]);
  }
  const files = new Map<Place["state"], ReadonlyMap<number, string>>();
  for (const [state, some] of tasks) files.set(state, await resultFilesOf(state, some));
  return files;
}

function taskComparison(row: ComparedRow, files: Files, budget: { left: number }): TaskComparison {
  const { key, change, places } = row;
  const difference = change === "same" || budget.left <= 0 ? undefined : differenceIn(row, budget);
  const showsTexts = difference === undefined && change !== "same" && change !== "unfinished";
  return {
    key,
    change,
    cells: places.map((place, column) => {
      if (!place) return undefined;
      const cell = cellOf(place, files);
      const text = showsTexts && budget.left > 0 ? textOf(place) : undefined;
      budget.left -= text?.length ?? 0;
      return {
        ...cell,
        ...(showsTexts && row.differing.has(column) ? { differs: true } : {}),
        ...(text === undefined ? {} : { text: text.slice(0, longestText), isCut: text.length > longestText }),
      };
    }),
    ...(difference === undefined ? {} : { difference }),
  };
}

// Of two answers. More of them are shown beside one another as they are.
function differenceIn(row: ComparedRow, budget: { left: number }): TaskComparison["difference"] {
  const [before, after] = row.places.map(doneOf);
  if (row.places.length !== 2 || !before || !after || row.differing.size === 0 || row.unreadable.size > 0)
    return undefined;
  const difference = differenceOf(before, after);
  if (difference.kind === "data") {
    budget.left -= JSON.stringify(difference.fields).length;
    return difference;
  }
  const [old, fresh] = linesOfBoth(before, after);
  const rows = sideRows(old, fresh);
  budget.left -= JSON.stringify(rows.slice(0, mostRows)).length;
  return { kind: "text", rows };
}

function cellOf({ state, task }: Place, files: Files): CellView {
  const usage = task.status === "done" ? task.usage : undefined;
  const path = files.get(state)?.get(task.number);
  return {
    taskIndex: task.number,
    status: statusWord(task),
    costUsd: usage?.costUsd,
    durationMs: usage?.durationMs,
    model: task.status === "done" ? task.model : undefined,
    href: path === undefined ? undefined : Bun.pathToFileURL(path).href,
  };
}

function textOf(place: Place): string | undefined {
  const done = doneOf(place);
  if (!done) return undefined;
  if (done.outcome.kind !== "succeeded") return outcomeText(done.outcome);
  try {
    // One character more shows whether there is a rest.
    return answerText(done, longestText + 1);
  } catch (error) {
    return `The answer cannot be read: ${messageOf(error)}`;
  }
}
