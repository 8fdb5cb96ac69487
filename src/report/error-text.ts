// The text file of an unsuccessful task, for any editor, and for pasting into a report.
import { cut } from "../model/cut.ts";
import type { Outcome } from "../model/outcome.ts";
import { product } from "../model/product.ts";
import { adviceFor } from "./advice.ts";
import { countText, timeText } from "./amounts.ts";
import { checksText } from "./checks-text.ts";
import { fileTag } from "./file-tag.ts";
import { harmless } from "./harmless.ts";
import { outcomeText } from "./outcome-text.ts";
import {
  attemptsText,
  continueCommand,
  leakedText,
  placeText,
  type TaskFacts,
  taskCostText,
  taskDurationText,
  variablesText,
} from "./task-facts.ts";

/** Everything in the text of an unsuccessful task. */
export interface ErrorPage extends TaskFacts {
  outcome: Exclude<Outcome, { kind: "succeeded" }>;
  /** Earlier answers of the session, each with its heading. */
  others?: readonly { heading: string; text: string }[];
  /** What did not take effect, or was unusual, in sentences. */
  remarks?: readonly string[];
  /** What Claude wrote last, if anything. */
  lastText?: string | undefined;
  /** The end of the session's stderr; a crash has its own. */
  stderrTail?: string | undefined;
  /** Path of the transcript, if there is one. */
  transcript?: string | undefined;
}

const longestPrompt = 20_000;
const longestMessage = 20_000;
const longestText = 50_000;
const stderrLines = 40;
const longestStderrLine = 2_000;

/** The text, with its tag on the first line. Lines end in `\n`. */
export function errorText(page: ErrorPage): string {
  const parts = [
    `${fileTag(page.batchId, page.taskNumber)}\n`,
    `${harmless(placeText(page))}\n`,
    ...errorParts(page).map(({ heading, text }) => part(heading, text)),
  ];
  return parts.filter((text) => text !== "").join("\n");
}

/** Headings of parts that a page shows in a way of their own. */
const advised = "What to try";
const asked = "What was asked";
const known = "Facts";

interface ErrorPart {
  heading: string;
  text: string;
  /** `prose`: sentences of ours, with commands in backticks. `facts`: what `errorFacts` gives. */
  kind: "text" | "prose" | "prompt" | "facts";
}

const kinds: Readonly<Record<string, ErrorPart["kind"]>> = {
  [advised]: "prose",
  [asked]: "prompt",
  [known]: "facts",
};

/** What there is to say about the task, part by part. */
export function errorParts(page: ErrorPage): ErrorPart[] {
  const parts: [string, string | undefined][] = [
    ["What happened", whatHappened(page)],
    ["Checks", checksText(page.checks ?? [])],
    [advised, adviceFor(page.outcome, page.advice)],
    ["Remarks", page.remarks?.join("\n")],
    [asked, shortened(page.prompt, longestPrompt)],
    ...(page.others ?? []).map(({ heading, text }): [string, string] => [
      heading.replace(/:$/, ""),
      shortened(text, longestText),
    ]),
    ["What Claude wrote last", lastWords(page)],
    ["The last lines of stderr", lastLines(page)],
    [
      known,
      errorFacts(page)
        .map(({ name, value }) => `${name}: ${value}`)
        .join("\n"),
    ],
  ];
  return parts.flatMap(([heading, text]) =>
    text === undefined || text.trim() === "" ? [] : [{ heading, text, kind: kinds[heading] ?? "text" }],
  );
}

// Content is indented, so that none of its lines can look like a heading.
function part(heading: string, content: string | undefined): string {
  const text = harmless(content ?? "").trimEnd();
  if (text.trim() === "") return "";
  const indented = text.split("\n").map((line) => (line === "" ? "" : `  ${line}`));
  return `${heading}\n${"-".repeat(heading.length)}\n${indented.join("\n")}\n`;
}

// Its last words are usually the end of an earlier answer.
function lastWords({ lastText, others = [] }: ErrorPage): string | undefined {
  if (!lastText || others.some(({ text }) => text.endsWith(lastText))) return undefined;
  return shortened(lastText, longestText);
}

function whatHappened({ outcome }: ErrorPage): string {
  const line = outcomeText(outcome);
  const message = outcome.kind === "failed" || outcome.kind === "not-started" ? outcome.message : "";
  // The line contains short messages; longer or multi-line ones follow unchanged.
  const whole = message.length > 500 || message.trim().includes("\n");
  return whole ? `${line}\n\n${shortened(message, longestMessage)}` : line;
}

function lastLines({ outcome, stderrTail }: ErrorPage): string {
  const stderr = outcome.kind === "crashed" ? outcome.stderrTail : (stderrTail ?? "");
  const lines = harmless(stderr).trimEnd().split("\n").slice(-stderrLines);
  return lines.map((line) => cut(line, longestStderrLine)).join("\n");
}

/** The facts of the task that are known. */
export function errorFacts(page: ErrorPage): { name: string; value: string; isCode: boolean }[] {
  const lines: [name: string, value: string | undefined, isCode?: true][] = [
    ["Key", page.key, true],
    ["Ended", timeText(page.endedAt)],
    ["Duration", taskDurationText(page)],
    ["Cost", taskCostText(page)],
    ["Turns", page.usage && String(page.usage.numTurns)],
    ["Model", page.model],
    ["Attempts", attemptsText(page)],
    ["Left behind", leakedText(page)],
    ["Ran on", page.host],
    ["Session", page.sessionId, true],
    ["Working directory", page.workingDirectory, true],
    ["Variables from env", variablesText(page), true],
    ["What the session did", page.sessionPage, true],
    ["Transcript", page.transcript, true],
    ["Continue in a terminal", continueCommand(page), true],
    ["See the batch", `${product.name} show ${page.batchId}`, true],
  ];
  return lines.flatMap(([name, value, isCode = false]) =>
    value === undefined ? [] : [{ name, value, isCode }],
  );
}

function shortened(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${cut(text, limit)}\n(the first ${countText(limit, "character")} of ${countText(text.length, "character")})`;
}
