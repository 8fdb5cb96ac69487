// What the tasks of a template are about: files, items, lines, rows, changed files, or the results of an earlier batch.
import type { BatchId } from "../../model/batch-id.ts";
import { cut } from "../../model/cut.ts";
import { option, type Prose, prose } from "../../model/prose.ts";
import { isDirectory, readSmallFile, sizeOf } from "../../platform/files.ts";
import { basename, join } from "../../platform/paths.ts";
import { countText, numberText } from "../../report/amounts.ts";
import type { Layout } from "../../store/layout.ts";
import type { Context } from "../context.ts";
import { type Fault, type Place, wrong } from "../fault.ts";
import type { Places } from "../places.ts";
import { changedFiles } from "./changed-files.ts";
import { textIn } from "./decode.ts";
import { type AnswerFile, earlierResults } from "./earlier-results.ts";
import { FileFault, lineText } from "./file-fault.ts";
import { type ForEach, listOf, type Source, sources } from "./for-each.ts";
import { type Item, keyOfText } from "./item.ts";
import { listedLines, refuseEndless } from "./listed-lines.ts";
import {
  filesAmong,
  ignoredFiles,
  matchingFiles,
  mostEntries,
  type Search,
  TooManyEntries,
} from "./matching-files.ts";
import { patternIn } from "./pattern.ts";
import { columnsIn, itemsOfRows, type NamedRow, rowsOfCsv, rowsOfJsonLines } from "./rows.ts";

/** The items of a source. */
export interface Found {
  source: Source;
  items: readonly Item[];
  /** Answers of an earlier batch, to be written when the new one begins. */
  answers: readonly AnswerFile[];
  warnings: readonly string[];
}

interface Means {
  context: Context;
  places: Places;
  /** Where patterns and names of files begin. Absolute, with links resolved. */
  directory: string;
  layout: Layout;
  batchId: BatchId;
}

/** Of a file that lists items, in bytes. */
const mostBytes = 100_000_000;

const at = (...inner: Place): Place => ["forEach", ...inner];

/** The items, or every fault of the source. Throws `UserError` for an earlier batch that does not exist. */
export async function itemsFrom(forEach: ForEach, means: Means): Promise<Found | readonly Fault[]> {
  const chosen = sourceOf(forEach);
  if (typeof chosen !== "string") return chosen;
  const { exclude, idColumn } = forEach;
  const isOfFiles = chosen === "glob" || chosen === "gitDiff";
  const hasColumns = chosen === "csv" || chosen === "jsonl" || chosen === "items";
  const misplaced = [
    ...(exclude !== undefined && !isOfFiles
      ? [wrong(at("exclude"), prose`requires ${option("glob")} or ${option("gitDiff")}`)]
      : []),
    ...(idColumn !== undefined && !hasColumns
      ? [wrong(at("idColumn"), prose`requires ${option("csv")}, ${option("jsonl")} or ${option("items")}`)]
      : []),
  ];
  if (misplaced.length > 0) return misplaced;
  const found = await itemsOf(chosen, forEach, means);
  return "items" in found ? { source: chosen, answers: [], warnings: [], ...found } : found;
}

// The one that was given; changed files may be narrowed by a pattern.
function sourceOf(forEach: ForEach): Source | readonly Fault[] {
  const given = sources.filter((name) => forEach[name] !== undefined);
  const [first, second] = given.filter((name) => name !== "glob" || !given.includes("gitDiff"));
  if (first === undefined)
    return [wrong(at(), `names no source of tasks; give one of ${sources.join(", ")}`)];
  if (second === undefined) return first;
  return [wrong(at(second), prose`cannot be given beside ${option(first)}; give one source of tasks`)];
}

type Part = Pick<Found, "items"> & Partial<Found>;

async function itemsOf(source: Source, forEach: ForEach, means: Means): Promise<Part | readonly Fault[]> {
  switch (source) {
    case "glob":
      return globbed(forEach, means);
    case "gitDiff":
      return changed(forEach, means);
    case "items":
      return given(forEach);
    case "linesOf":
      return listed(forEach.linesOf ?? "", at("linesOf"), means, (text, name) => ({
        items: linesIn(text, name),
      }));
    case "csv":
      return listed(forEach.csv ?? "", at("csv"), means, (text, name) =>
        rowItems(rowsOfCsv(text, name.endsWith(".tsv") ? "\t" : undefined), name, at("csv"), forEach),
      );
    case "jsonl":
      return listed(forEach.jsonl ?? "", at("jsonl"), means, (text, name) =>
        rowItems(rowsOfJsonLines(text), name, at("jsonl"), forEach),
      );
    case "of":
      return earlier(forEach.of ?? "", means);
  }
}

async function globbed({ glob, exclude }: ForEach, { directory }: Means): Promise<Part | readonly Fault[]> {
  const search = searchFor(listOf(glob) ?? [], listOf(exclude) ?? [], directory);
  if ("faults" in search) return search.faults;
  try {
    const files = await matchingFiles(search);
    if (files.length > 0) return fileItems(directory, files, at("glob"));
    return [wrong(at("glob"), await nothingProse(search))];
  } catch (error) {
    if (!(error instanceof TooManyEntries)) throw error;
    return [
      wrong(
        at("glob"),
        `searches more than ${numberText(mostEntries)} files and directories in ${directory}; begin the pattern with a directory`,
      ),
    ];
  }
}

// A pattern that begins with `!` excludes, as in many other tools.
function searchFor(
  glob: readonly string[],
  exclude: readonly string[],
  directory: string,
): Search | { faults: Fault[] } {
  const faults: Fault[] = [];
  const read = (list: readonly string[], name: string) =>
    list.flatMap((written) => {
      // A name without a slash is excluded everywhere.
      if (name === "exclude" && !/[/\\]/.test(written)) return [written];
      const pattern = patternIn(written, directory);
      if ("pattern" in pattern) return [pattern.pattern];
      faults.push(
        wrong(
          at(name),
          prose`${JSON.stringify(written)} leads to ${pattern.leaves}, outside of ${directory}, where the sessions work; give ${option("workingDirectory")}, or a pattern below it`,
        ),
      );
      return [];
    });
  const patterns = read(
    glob.filter((one) => !one.startsWith("!")),
    "glob",
  );
  const excluded = read(
    [...exclude, ...glob.filter((one) => one.startsWith("!")).map((one) => one.slice(1))],
    "exclude",
  );
  return faults.length > 0 ? { faults } : { directory, patterns, exclude: excluded };
}

// A name with a line break would be a line of the prompt, which a foreign repository could write.
function fileItems(directory: string, files: readonly string[], place: Place): { items: Item[] } | Fault[] {
  const odd = files.find((file) => /\p{Cc}/u.test(file));
  if (odd !== undefined)
    return [
      wrong(
        place,
        `matches ${JSON.stringify(cut(odd, 200))}, whose name has a line break or another control character; rename or exclude it`,
      ),
    ];
  return { items: files.map((file) => fileItem(directory, file)) };
}

function fileItem(directory: string, file: string): Item {
  const name = basename(file);
  const dot = name.lastIndexOf(".");
  const slash = file.lastIndexOf("/");
  const path = join(directory, file);
  return {
    key: file,
    values: {
      key: file,
      file,
      path,
      stem: dot > 0 ? name.slice(0, dot) : name,
      dir: slash < 0 ? "." : file.slice(0, slash),
    },
    place: file,
    size: () => sizeOf(path),
  };
}

// What was searched, and what took the matches away.
async function nothingProse(search: Search): Promise<Prose> {
  const { directory, patterns } = search;
  const what = `${patterns.map((one) => JSON.stringify(one)).join(", ")} match${patterns.length === 1 ? "es" : ""} no file in ${directory}`;
  const [folder] = patterns.filter((pattern) => isDirectory(join(directory, pattern)));
  if (folder !== undefined)
    return `${what}: ${folder} is a directory; write ${JSON.stringify(`${folder}/**`)} for the files in it`;
  const ignored = await ignoredFiles(search);
  const [first] = ignored;
  if (first !== undefined)
    return prose`${what}, except ${countText(ignored.length, "file")} that .gitignore excludes, such as ${first}; to use such files, name them in ${option("items")}`;
  const excluded = search.exclude.length === 0 ? [] : await matchingFiles({ ...search, exclude: [] });
  const [kept] = excluded;
  if (kept !== undefined)
    return prose`${what}, except ${countText(excluded.length, "file")} that ${option("exclude")} takes away, such as ${kept}`;
  return `${what}. Hidden files, .git and node_modules are not searched`;
}

async function changed(
  { gitDiff = "", glob, exclude }: ForEach,
  { directory }: Means,
): Promise<Part | readonly Fault[]> {
  const search = searchFor(listOf(glob) ?? ["**"], listOf(exclude) ?? [], directory);
  if ("faults" in search) return search.faults;
  const result = await changedFiles(directory, gitDiff);
  if ("fault" in result) return [wrong(at("gitDiff"), result.fault)];
  const matches = filesAmong(result.files, search);
  if (matches.length > 0) return fileItems(directory, matches, at("gitDiff"));
  const all = result.files.length;
  return [
    wrong(
      at("gitDiff"),
      all === 0
        ? `finds no file in ${directory} that differs from ${gitDiff}; deleted files do not count`
        : prose`finds ${countText(all, "file")} in ${directory} that ${all === 1 ? "differs" : "differ"} from ${gitDiff}, and ${option("glob")} and ${option("exclude")} leave none of them`,
    ),
  ];
}

function given({ items = [], idColumn }: ForEach): Part | readonly Fault[] {
  const rows: NamedRow[] = [];
  const texts: Item[] = [];
  for (const [index, item] of items.entries()) {
    const place = `item ${index + 1}`;
    if (typeof item === "string") texts.push(textItem(item, place, `item-${index + 1}`));
    else rows.push({ columns: columnsIn(item), place });
  }
  if (rows.length > 0 && texts.length > 0)
    return [wrong(at("items"), "has both texts and objects; give only one of the two")];
  if (texts.length > 0 && idColumn !== undefined)
    return [wrong(at("idColumn"), "requires items that are objects")];
  return texts.length > 0 ? { items: texts } : rowItems(rows, "", at("items"), { idColumn });
}

function textItem(text: string, place: string, name: string): Item {
  const key = keyOfText(text, name);
  return { key, values: { key, item: text.trim() }, place, size: () => text.length };
}

function linesIn(text: string, name: string): Item[] {
  // As `git ls-files -z` and `find -print0` write them.
  if (text.includes("\0"))
    return text.split("\0").flatMap((line, index) => {
      refuseEndless(index, "lines");
      return line.trim() === "" ? [] : [textItem(line, `${name}, item ${index + 1}`, `item-${index + 1}`)];
    });
  return [...listedLines(text)].map(({ line, number }) =>
    textItem(line, `${name}, ${lineText(number)}`, `line-${number}`),
  );
}

function rowItems(
  rows: readonly NamedRow[],
  name: string,
  place: Place,
  { idColumn }: { idColumn?: string | undefined },
): Part | readonly Fault[] {
  const { items, fault } = itemsOfRows(rows, { idColumn, name });
  if (!fault) return { items };
  const known = Object.keys(fault.columns);
  const where = name === "" ? fault.place : `${name}, ${fault.place}`;
  if (idColumn === undefined || known.includes(idColumn))
    return [wrong(place, `has a row without a key: ${where}: \`${idColumn ?? "id"}\` is empty`)];
  return [
    wrong(
      at("idColumn"),
      `names the column \`${idColumn}\`, which ${where} does not have; it has ${known.join(", ")}`,
    ),
  ];
}

// Reads a file that the caller named.
function listed(
  written: string,
  place: Place,
  means: Means,
  read: (text: string, name: string) => Part | readonly Fault[],
): Part | readonly Fault[] {
  const file = bytesIn(written, place, means);
  if ("faults" in file) return file.faults;
  const { path, bytes } = file;
  try {
    const part = read(withLineFeeds(textIn(bytes)), path);
    if ("items" in part && part.items.length === 0)
      return [wrong(place, `${path} has no ${place[1] === "linesOf" ? "lines" : "rows"}`)];
    return part;
  } catch (error) {
    if (error instanceof FileFault)
      return [
        wrong(place, `${path}${error.place === undefined ? "" : `, ${error.place}`}: ${error.message}`),
      ];
    if (error instanceof Error) return [wrong(place, `${path} cannot be read: ${error.message}`)];
    throw error;
  }
}

function bytesIn(
  written: string,
  place: Place,
  { context, places, directory }: Means,
): { path: string; bytes: Uint8Array } | { faults: Fault[] } {
  const { standardInput } = context;
  if (written === "-" && standardInput) return { path: "standard input", bytes: standardInput };
  const file = places.inputFile(written, directory, place);
  if ("faults" in file) return file;
  const { path } = file;
  const found = readSmallFile(path, mostBytes);
  if (found.kind === "bytes") return { path, bytes: found.bytes };
  return { faults: [wrong(place, `${path} ${found.kind === "nothing" ? "does not exist" : found.reason}`)] };
}

// Old Macs, and some exports, end lines with CR only.
function withLineFeeds(text: string): string {
  return text.includes("\n") ? text.replaceAll("\r\n", "\n") : text.replaceAll("\r", "\n");
}

function earlier(written: string, means: Means): Part | readonly Fault[] {
  const { context, layout, batchId } = means;
  const results = earlierResults(context, written, { layout, batchId });
  const { items, answers, warnings, isRunning, isGone } = results;
  if (isRunning)
    return [
      wrong(at("of"), `names batch ${results.batchId}, which has not ended; wait for its results first`),
    ];
  if (isGone)
    return [
      wrong(
        at("of"),
        `names batch ${results.batchId}, whose answers can no longer be read: its transcripts were removed or damaged`,
      ),
    ];
  if (items.length === 0)
    return [wrong(at("of"), `names batch ${results.batchId}, of which no task has succeeded`)];
  return { items, answers, warnings };
}
