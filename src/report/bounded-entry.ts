// An entry of `results` with limited length. Truncated parts say how long they were.
import { cut } from "../model/cut.ts";
import { numberText } from "./amounts.ts";
import type { ResultEntry } from "./answer.ts";

/** Most denied rules, remarks or variable names that are listed, and most characters of each. */
const mostListed = 10;
const listedCharacters = 400;
const adviceCharacters = 2_000;

export interface EntryLimits {
  /** Of the task as given. */
  description: number;
  /** Of a structured answer, as JSON in characters. Data cannot be cut, so it is included whole or not at all. */
  data: number;
}

/** The same entry with long parts cut, except its text, which is cut where it is read. */
export function boundedEntry(entry: ResultEntry, limits: EntryLimits): ResultEntry {
  const { taskDescription, structuredResult, permissionDenials, remarks, env, advice, ...rest } = entry;
  return {
    ...rest,
    taskDescription: cutText(taskDescription, limits.description),
    ...boundedData(structuredResult, limits.data),
    ...(permissionDenials === undefined ? {} : { permissionDenials: boundedList(permissionDenials) }),
    ...(remarks === undefined ? {} : { remarks: boundedList(remarks) }),
    ...(env === undefined ? {} : { env: boundedList(env) }),
    ...(advice === undefined ? {} : { advice: cutText(advice, adviceCharacters) }),
  };
}

/** The beginning of a long text, followed by its length. */
export function cutText(text: string, limit: number): string {
  return text.length <= limit ? text : `${cut(text, limit)} [${numberText(text.length)} characters]`;
}

function boundedData(data: unknown, limit: number): Partial<ResultEntry> {
  if (data === undefined) return {};
  const length = JSON.stringify(data).length;
  return length <= limit ? { structuredResult: data } : { structuredLength: length };
}

function boundedList(texts: readonly string[]): string[] {
  const more = texts.length - mostListed;
  return [
    ...texts.slice(0, mostListed).map((text) => cutText(text, listedCharacters)),
    ...(more > 0 ? [`… and ${more} more`] : []),
  ];
}
