// `logs`: the session of a task, read like a conversation.
import { z } from "zod";
import { type Attempt, machineOfAttempt, type TaskState } from "../../../model/state.ts";
import { directoryOf } from "../../../model/task-options.ts";
import { unreachable } from "../../../model/unreachable.ts";
import { pageOptions } from "../../../operations/page-file.ts";
import { type LogPart, SessionLog, sessionLogInput } from "../../../operations/session-log.ts";
import { harmless } from "../../../report/harmless.ts";
import { numberAndKey } from "../../../report/label.ts";
import { outcomeWords } from "../../../report/outcome-words.ts";
import { batchPositional, type Command, checkUsage, pagerFlag } from "../input/command.ts";
import type { Pages } from "../terminal/pager.ts";
import type { Printer, Terminal } from "../terminal/terminal.ts";
import { marked, partText } from "../view/conversation-text.ts";
import { isPageAsked, pageFaceOf } from "./page-face.ts";

const { page, open } = pageOptions("all attempts, with edits as diffs,");

const own = z.object({
  follow: z
    .boolean()
    .meta({ description: "Keep printing, across attempts, until the task ends.", short: "f" })
    .optional(),
  json: z.boolean().meta({ description: "Print the lines of the transcript unchanged." }).optional(),
  pager: pagerFlag.shape.pager,
  page,
  open,
});

export const logs: Command = {
  name: "logs",
  otherNames: ["log", "tail", "transcript"],
  summary: "Show the session of a task as a conversation",
  description:
    "Shows what a task's session has said and done so far: the prompt, Claude's words, its tool calls and their results, errors, how it ended and what it cost. Then shows its stderr.",
  examples: [
    ["logs latest 3", "Show what the session has said and done"],
    ["logs latest 3 -f", "Keep printing until the task ends"],
    ["logs latest 3 --open", "Show all attempts as a page in the browser, with edits as coloured diffs"],
    ["logs b4k2 3 --attempt 1 --json", "Print an earlier attempt as Claude Code wrote it"],
  ],
  input: sessionLogInput,
  withoutFlags: ["batchId", "task"],
  own,
  positionals: [
    batchPositional,
    {
      property: "task",
      placeholder: "N",
      description: "Number or key of the task.",
      required: true,
      many: false,
      isTask: true,
    },
  ],
  run: async (asked) => {
    if (isPageAsked(asked)) {
      // Only this loads what pages are made of.
      const { writeSession } = await import("../../../operations/session-page.ts");
      return pageFaceOf("logs", writeSession).run(asked);
    }
    const { context, input, own: flags, terminal } = asked;
    const { follow = false, json = false, pager } = own.parse(flags);
    const log = await SessionLog.open(context, checkUsage(sessionLogInput, input));
    const { pagesOf } = await import("../terminal/pager.ts");
    const pages = pagesOf(terminal.out, pager && !follow && !json);
    const print = partPrinter(log, { ...terminal, pages, json });
    let status = 0;
    try {
      for await (const part of log.parts({ follows: follow, isRaw: json })) {
        await print(part);
        if (part.kind === "gone" || part.kind === "lost") status = 1;
        if (pages.isLeft) break;
      }
    } finally {
      // What went wrong is printed after it.
      await pages.end();
    }
    return status;
  },
};

// Waits for its reader, so that at most one line is in memory.
function partPrinter(
  log: SessionLog,
  { out, err, pages, json }: Terminal & { pages: Pages; json: boolean },
): (part: LogPart) => Promise<void> {
  const { batch } = log.state;
  const number = numberAndKey(batch, log.task.number);
  let directory = "";
  let said = "";
  return async (part) => {
    switch (part.kind) {
      case "none":
        return err.tell(`Task ${number} has no session: it is ${wordOf(log.task)}.`);
      case "waiting":
        return err.tell(
          `Task ${number} waits for its ${log.task.attempts.length === 0 ? "start" : "next attempt"}. Its session is shown as soon as it runs.`,
        );
      case "gone":
        return err.tell(`The transcript ${part.attempt.transcript} no longer exists.`);
      case "lost":
        return err.tell(`Task ${number} is ${wordOf(log.task)}, and no process runs its batch any more.`);
      case "bytes":
        return out.pass(part.bytes);
      case "attempt":
        directory = directoryOf(batch, log.task.number, part.attempt);
        said = "";
        return json ? undefined : pages.print(attemptHeading(log, part.attempt, out));
      case "conversation": {
        const style = { paint: out.paint.bind(out), directory };
        // A tool result follows its call directly.
        const space = part.part.kind === "returned" ? "" : "\n";
        await pages.print(`${space}${partText(part.part, style, said)}`);
        if (part.part.kind === "said") said = part.part.text;
        return;
      }
      case "end":
        if (json) return;
        if (part.stderr !== "") await pages.print(`\n${out.paint("bold", "Stderr")}\n${part.stderr}`);
        return pages.print(`\nTask ${number}: ${wordOf(log.task)}.`);
      default:
        return unreachable(part);
    }
  };
}

function attemptHeading(
  { state: { batch }, task: { number } }: SessionLog,
  attempt: Attempt,
  out: Printer,
): string {
  const { resumes, sessionId, transcript } = attempt;
  const machine = machineOfAttempt(attempt);
  const again = resumes ? ", continues the conversation of the previous attempt" : "";
  return [
    out.paint(
      "bold",
      `Task ${numberAndKey(batch, number)} of batch ${batch.batchId}, attempt ${attempt.number}${again}`,
    ),
    ...(machine === undefined ? [] : [out.paint("faint", `Ran on ${harmless(machine)}`)]),
    ...(sessionId === "" ? [] : [out.paint("faint", `Session ${harmless(sessionId)}`)]),
    out.paint("faint", `Transcript ${transcript}`),
    ...(resumes ? [] : [`\n${marked(">", harmless(batch.tasks[number - 1]?.prompt ?? ""))}`]),
  ].join("\n");
}

function wordOf(task: TaskState): string {
  return task.status === "done" ? outcomeWords(task) : task.status;
}
