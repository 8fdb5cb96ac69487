// A conversation as a page shows it: takes part by part, and keeps no more than fits.
import type { ConversationPart, PartOf, Reply } from "../../model/conversation.ts";
import { cut } from "../../model/cut.ts";
import { isDeeperThan, isRecord } from "../../model/json-values.ts";
import { unreachable } from "../../model/unreachable.ts";
import { type DiffLine, diffLines } from "../diff/text-diff.ts";
import { detached, excerptOf, lengthOf } from "./excerpt.ts";
import {
  type Budget,
  type Call,
  type Result,
  type Shown,
  type ShownInput,
  type Step,
  Steps,
} from "./steps.ts";
import { type ToolCall, toolCall } from "./tool-call.ts";

/** Most characters of each text. */
const longest = {
  prompt: 50_000,
  claude: 100_000,
  thought: 20_000,
  result: 20_000,
  /** Of a result where there is hardly any room. */
  tightResult: 1_000,
  input: 10_000,
  value: 4_000,
  unread: 2_000,
  why: 500,
  line: 1_000,
};
const mostLines = 400;
const mostValues = 30;
const mostItems = 100;
/** Deeper values are shown in one line. */
const deepest = 20;
/** What the elements around a text cost, in characters. */
const frameWeight = 300;

interface Manner {
  /** Before the number of each step in its id. */
  prefix: string;
  /** Where the session works: paths are shown relative to it. */
  directory: string;
  /** For all steps, in characters. */
  room: number;
  budget: Budget;
}

export class ShownSession {
  readonly steps: Steps;
  /** The model that it began with. */
  model: string | undefined;
  readonly #manner: Manner;
  /** Calls by their ids; undefined for those that are left out. */
  readonly #calls = new Map<string, Step | undefined>();
  #count = 0;
  #replies = 0;
  #turns = 1;
  #lastReply: string | undefined;
  #lastSaid = "";
  /** Whether the last part was an end: what follows is another turn. */
  #hasEnded = false;
  #ends = 0;

  constructor(manner: Manner) {
    this.#manner = manner;
    this.steps = new Steps(manner.budget, {
      room: manner.room,
      dropped: (step) => this.#forget(step),
    });
  }

  /** Adds a part. `offset`: where its line begins in the transcript, in bytes. */
  add(part: ConversationPart, offset: number): void {
    if (part.kind === "started") {
      this.model ??= part.model;
      return;
    }
    const list = this.#listOf(part);
    // Its subagent is left out.
    if (!list) return;
    this.#beginTurn(part, offset);
    switch (part.kind) {
      case "prompted":
        this.#addWords(list, "prompt", part, offset);
        return;
      case "said":
        this.#beginReply(part, offset);
        if (!part.nested) this.#lastSaid = part.text;
        this.#addWords(list, "claude", part, offset);
        return;
      case "thought":
        this.#beginReply(part, offset);
        if (part.text.trim() !== "") this.#addWords(list, "thought", part, offset);
        return;
      case "called":
        this.#beginReply(part, offset);
        this.#addCall(list, part, offset);
        return;
      case "returned":
        this.#addResult(list, part, offset);
        return;
      case "waits": {
        const why = cut(part.why, longest.why);
        this.#add(list, { kind: "waits", why }, why.length, offset);
        return;
      }
      case "ended":
        this.#addEnd(list, part, offset);
        return;
      case "unread": {
        const text = excerptOf(part.text, longest.unread);
        this.#add(list, { kind: "unread", text, bytes: part.bytes }, lengthOf(text), offset);
        return;
      }
      default:
        unreachable(part);
    }
  }

  // Where a part belongs: inside the call that started its subagent. Undefined if that is left out.
  #listOf(part: ConversationPart): Steps | undefined {
    const parent = "parent" in part ? part.parent : undefined;
    if (parent === undefined || !this.#calls.has(parent)) return this.steps;
    const step = this.#calls.get(parent);
    if (step?.shown.kind !== "call") return undefined;
    step.shown.inside ??= new Steps(this.#manner.budget, {
      room: step.list.roomInside,
      owner: step,
      dropped: (gone) => this.#forget(gone),
    });
    return step.shown.inside;
  }

  #add(list: Steps, shown: Shown, weight: number, offset: number): Step | undefined {
    const id = `${this.#manner.prefix}${++this.#count}`;
    return list.add({ id, offset, shown, weight: weight + frameWeight });
  }

  #beginTurn(part: ConversationPart, offset: number): void {
    const isNested = "nested" in part && part.nested;
    if (!this.#hasEnded || isNested || part.kind === "unread") return;
    this.#hasEnded = false;
    this.#add(this.steps, { kind: "turn", count: ++this.#turns }, 0, offset);
  }

  // The parts of a reply come one by one, each with what the whole reply has read.
  #beginReply({ reply, nested }: { reply?: Reply | undefined; nested: boolean }, offset: number): void {
    if (nested || !reply || reply.id === this.#lastReply) return;
    this.#lastReply = reply.id;
    this.#add(this.steps, { kind: "reply", count: ++this.#replies, read: reply.read }, 0, offset);
  }

  #addWords(
    list: Steps,
    by: "prompt" | "claude" | "thought",
    part: { text: string; failed?: boolean },
    offset: number,
  ): void {
    const text = excerptOf(part.text, longest[by]);
    this.#add(list, { kind: "words", by, text, failed: part.failed === true }, lengthOf(text), offset);
  }

  #addCall(list: Steps, part: PartOf<"called">, offset: number): void {
    const { subject, isBehind = false, body } = toolCall(part.tool, part.input, this.#manner.directory);
    const input = inputOf(body, part.input);
    const shown: Call = {
      kind: "call",
      callId: part.id,
      tool: detached(cut(part.tool, 100)),
      subject: detached(subject),
      isBehind,
      input,
    };
    const step = this.#add(list, shown, weightOfInput(input) + subject.length, offset);
    if (part.id !== undefined) this.#calls.set(part.id, step);
  }

  #addResult(list: Steps, part: PartOf<"returned">, offset: number): void {
    const isKnown = part.of !== undefined && this.#calls.has(part.of);
    const step = part.of === undefined ? undefined : this.#calls.get(part.of);
    // Its call is left out.
    if (isKnown && !step) return;
    const call = step?.shown.kind === "call" ? step.shown : undefined;
    const room = step ? step.list.roomInside : longest.result;
    const most = Math.max(longest.tightResult, Math.min(longest.result, room));
    const result = resultOf(part, { call, most });
    if (!step || !call || call.result) {
      this.#add(list, { kind: "result", result }, lengthOf(result.text), offset);
      return;
    }
    call.result = result;
    step.weight += lengthOf(result.text);
    step.list.grew(step, lengthOf(result.text));
  }

  #addEnd(list: Steps, { kind: _, text, ...end }: PartOf<"ended">, offset: number): void {
    const isSaid = text === "" || text === this.#lastSaid;
    const shown = excerptOf(isSaid ? "" : text, longest.claude);
    this.#add(
      list,
      { kind: "ended", end, text: shown, isSaid, isFirst: ++this.#ends === 1 },
      lengthOf(shown),
      offset,
    );
    this.#hasEnded = true;
    this.#lastReply = undefined;
  }

  #forget({ shown }: Step): void {
    if (shown.kind === "call" && shown.callId !== undefined) this.#calls.set(shown.callId, undefined);
  }
}

// The status that the CLI writes before what a command printed.
const exitCode = /^(?:Error: )?Exit code (\d{1,10})(?:\n|$)/;

function resultOf(
  { text, failed }: PartOf<"returned">,
  { call, most }: { call: Call | undefined; most: number },
): Result {
  const isCommand = call?.input.kind === "command";
  const said = isCommand && failed ? exitCode.exec(text) : undefined;
  const output = said ? text.slice(said[0].length) : text;
  const status = said ? Number(said[1]) : isCommand && !failed && !call.isBehind ? 0 : undefined;
  return {
    text: excerptOf(output.trimEnd(), most),
    failed,
    lines: output === "" ? 0 : linesIn(output),
    ...(status === undefined ? {} : { status }),
  };
}

function linesIn(text: string): number {
  let lines = text.endsWith("\n") ? 0 : 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}

function inputOf(body: ToolCall["body"], input: string): ShownInput {
  switch (body.kind) {
    case "command":
      return { kind: "command", text: excerptOf(body.lines.join("\n"), longest.input) };
    case "changes": {
      const lines = body.changes.flatMap(({ before, after }, index): DiffLine[] => {
        const one = diffLines(before, after);
        return index > 0 && one.length > 0 ? [{ kind: "left-out", count: 0 }, ...one] : one;
      });
      return diffOf(lines, lines.length);
    }
    case "written": {
      const lines = body.lines.slice(0, mostLines).map((text): DiffLine => ({ kind: "added", text }));
      return diffOf(lines, body.lines.length);
    }
    case "items":
      return {
        kind: "items",
        items: body.items
          .slice(0, mostItems)
          .map(([sign, text]) => [sign, detached(cut(text, longest.line))] as const),
      };
    case "values":
      return valuesOf(input);
    default:
      return unreachable(body);
  }
}

function diffOf(lines: readonly DiffLine[], count: number): ShownInput {
  const shown = lines
    .slice(0, mostLines)
    .map((line) =>
      line.kind === "left-out" ? line : { ...line, text: detached(cut(line.text, longest.line)) },
    );
  return { kind: "diff", lines: shown, left: count - shown.length };
}

function valuesOf(input: string): ShownInput {
  const parsed: unknown = JSON.parse(input);
  if (!isRecord(parsed)) return { kind: "text", text: excerptOf(input, longest.input) };
  const values = Object.entries(parsed)
    .slice(0, mostValues)
    .map(([name, value]) => {
      const text = typeof value === "string" ? value : jsonText(value);
      return [detached(cut(name, 100)), excerptOf(text, longest.value)] as const;
    });
  return { kind: "values", values };
}

// Indentation grows with the square of the depth.
function jsonText(value: unknown): string {
  return JSON.stringify(value, undefined, isDeeperThan(value, deepest) ? 0 : 2) ?? "";
}

function weightOfInput(input: ShownInput): number {
  const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);
  switch (input.kind) {
    case "values":
      return sum(input.values.map(([name, value]) => name.length + lengthOf(value) + 60));
    case "text":
    case "command":
      return lengthOf(input.text);
    case "diff":
      return sum(input.lines.map((line) => 30 + (line.kind === "left-out" ? 0 : line.text.length)));
    case "items":
      return sum(input.items.map(([, text]) => text.length + 60));
    default:
      return unreachable(input);
  }
}
