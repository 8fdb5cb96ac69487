// The page of what the sessions of a task said and did, attempt by attempt.
import { cut } from "../../model/cut.ts";
import type { Usage } from "../../model/outcome.ts";
import { product } from "../../model/product.ts";
import { awayHtml } from "../acts.ts";
import { costText, countText, durationText, numberText, timeText } from "../amounts.ts";
import { askedHtml } from "../asked-html.ts";
import { sessionTag } from "../file-tag.ts";
import { sessionFrame } from "../frame.ts";
import { oneLine } from "../harmless.ts";
import { factsHtml, type Html, html, joined, longList, nothing, proseHtml, timeHtml } from "../html.ts";
import type { StatusWord } from "../row.ts";
import { placeText } from "../task-facts.ts";
import { callOf, type SessionUpdate } from "../wire/feed.ts";
import { attemptId, data, ids } from "../wire/marks.ts";
import type { Steps } from "./steps.ts";
import { failedSteps, stepsHtml } from "./steps-html.ts";

/** Everything that the page shows. */
export interface SessionPage {
  batchId: string;
  batchName?: string | undefined;
  /** 1-based. */
  taskNumber: number;
  totalTasks: number;
  /** The one-line name of the task. */
  label: string;
  prompt: string;
  status: StatusWord;
  /** How it ended, in a sentence, unless it succeeded. */
  outcome?: string | undefined;
  usage?: Usage | undefined;
  /** Whether more may come. */
  isRunning: boolean;
  attempts: readonly AttemptView[];
  /** How many attempts between the first and the last are not shown. */
  attemptsLeft: number;
  /** Addresses of the file of its result, and of the batch's page, if they are there. */
  links: { result?: string | undefined; report?: string | undefined };
  /** The path of the companion that an open page follows, relative to it; empty if it follows none. */
  feedHref: string;
  /** Whether `ui` serves the page. */
  isServed?: boolean | undefined;
  /** Milliseconds since 1970. */
  now: number;
}

/** An attempt at the task. */
export interface AttemptView {
  number: number;
  /** Whether it continues the conversation of the one before. */
  resumes: boolean;
  /** What it was asked, if that is not the task's prompt. */
  prompt?: string | undefined;
  /** What did not go as requested, in a sentence. */
  remark?: string | undefined;
  status: StatusWord;
  usage?: Usage | undefined;
  /** Milliseconds since 1970. */
  startedAt: number;
  endedAt?: number | undefined;
  /** Where it ran, if not on this machine. */
  machine?: string | undefined;
  talk: Talk;
  /** The end of its stderr. */
  stderr: string;
  checks: readonly CheckView[];
}

/** A session that checks an answer. */
interface CheckView {
  number: number;
  /** What it checks. */
  name: string;
  talk: Talk;
}

/** A conversation. */
export interface Talk {
  sessionId: string;
  /** Path of the transcript. */
  transcript: string;
  model?: string | undefined;
  /** Undefined if there is no transcript any more. */
  steps: Steps | undefined;
  /** Whether nothing more comes. */
  isOver: boolean;
}

const longestPrompt = 50_000;
const mostFailures = 12;

/** The page, with its tag within the first 512 bytes. */
export function sessionPage(page: SessionPage): Html {
  return sessionFrame({
    title: titleOf(page),
    tag: sessionTag(page.batchId, page.taskNumber),
    facts: { batch: page.batchId, feed: page.feedHref, running: page.isRunning ? "yes" : "no" },
    skip: { to: "talk", words: "the conversation" },
    header: html`<div id="${ids.sessionHead}">${headHtml(page)}</div>`,
    main: html`${page.isServed ? html`${awayHtml()}${removedHtml()}` : nothing}${toolsHtml()}<div id="${ids.talk}">${longList(blocksOf(page).map(({ html: block }) => block))}</div>
<p id="${ids.nothing}" hidden>Nothing matches.</p>
<p id="${ids.said}" class="unseen" role="status"></p>`,
    footer: html`<div id="${ids.sessionFoot}">${footHtml(page)}</div>`,
  });
}

/** The companion of the page, in pieces: a script that gives an open page its current contents. */
export function* sessionUpdate(page: SessionPage): Generator<string> {
  const { batchId, isRunning, status } = page;
  const news: SessionUpdate<Html> = {
    batch: batchId,
    running: isRunning,
    title: titleOf(page),
    words: `The task is ${isRunning ? "running" : `over: ${status.word}`}.`,
    head: headHtml(page),
    foot: footHtml(page),
    blocks: [],
  };
  const [before = "", after = ""] = callOf("sessionUpdate", JSON.stringify(news)).split('"blocks":[]', 2);
  yield `${before}"blocks":[`;
  for (const [index, { id, html: block }] of blocksOf(page).entries())
    yield `${index === 0 ? "" : ","}${JSON.stringify([id, block])}`;
  yield `]${after}`;
}

/** A part of the conversation at the highest level, which stays the same while it does not change. */
export interface SessionBlock {
  id: string;
  html: Html;
}

function titleOf({ status, label, taskNumber }: SessionPage): string {
  return `${status.word} · ${headingOf({ label, taskNumber })} · session of task ${taskNumber}`;
}

function headingOf({ label, taskNumber }: Pick<SessionPage, "label" | "taskNumber">): string {
  return cut(label, 90) || `Task ${taskNumber}`;
}

/** Title and facts, as they change. */
function headHtml(page: SessionPage): Html {
  const { status, usage, isRunning } = page;
  const lastedMs = lastedOf(page);
  const parts = [
    html`<span class="pill ${status.className}">${status.word}</span>`,
    usage && html`<span>${costText(usage.costUsd, usage.atLeast)}</span>`,
    usage && html`<span>${countText(usage.numTurns, "turn")}</span>`,
    lastedMs === undefined ? undefined : html`<span>${durationText(lastedMs)}</span>`,
    isRunning ? html`<span>as of ${timeHtml(page.now, timeText(page.now))}</span>` : undefined,
  ].filter((part) => part !== undefined);
  const outcome = page.outcome === undefined ? nothing : html`<p class="note">${proseHtml(page.outcome)}</p>`;
  return html`<p class="brand">What the session did · ${placeText(page)}</p>${linksHtml(page)}
<h1>${headingOf(page)}</h1><p class="under">${parts}</p>${outcome}${attemptsHtml(page)}`;
}

// Like the tabs of other reports, but of one page.
function attemptsHtml({ attempts }: SessionPage): Html {
  if (attempts.length < 2) return nothing;
  const links = attempts.map(
    ({ number, status }) =>
      html`<a href="#${attemptId(number)}">Attempt ${numberText(number)}</a> <span class="s ${status.className}">${status.word}</span>`,
  );
  return html`<nav class="steps" aria-label="Attempts">${links.map((link) => html`<span>${link}</span> `)}</nav>`;
}

// From its first start to its last end.
function lastedOf({ attempts }: SessionPage): number | undefined {
  const [from, to] = [attempts[0]?.startedAt, attempts.at(-1)?.endedAt];
  return from === undefined || to === undefined ? undefined : to - from;
}

function linksHtml({ links, status }: SessionPage): Html {
  const words = status.className === "bad" || status.className === "off" ? "What went wrong" : "The result";
  const all = [
    links.result === undefined ? nothing : html`<a href="${links.result}">${words}</a>`,
    links.report === undefined ? nothing : html`<a href="${links.report}">All tasks of the batch</a>`,
  ].filter((link) => !link.isEmpty);
  return all.length === 0 ? nothing : html`<nav class="steps" aria-label="Pages">${joined(all, " ")}</nav>`;
}

// Shown by the script when it hears so.
function removedHtml(): Html {
  return html`<p id="${ids.removed}" class="card note" role="status" hidden>The batch was removed, so nothing more comes here. What you see is the last that was known of this session.</p>`;
}

// Shown by the script, without which it could do nothing.
function toolsHtml(): Html {
  return html`<div id="${ids.tools}" class="tools" role="search" aria-label="Conversation" hidden><label class="search">Search <input type="search" placeholder="words, calls and outputs" id="${ids.search}" autocomplete="off" spellcheck="false"></label><div class="chips"><button type="button" id="${ids.unfold}">Unfold all</button><button type="button" id="${ids.fold}">Fold all</button></div><span id="${ids.shown}" role="status"></span></div>`;
}

/** All blocks of the page, in their order. */
export function blocksOf(page: SessionPage): SessionBlock[] {
  const { attempts, attemptsLeft } = page;
  return [
    { id: "task", html: sectionOf("task", "Task", askedHtml(page.prompt, longestPrompt)) },
    ...failuresBlock(page),
    ...attempts.flatMap((attempt, index) => [
      ...(index === 1 && attemptsLeft > 0 ? [leftBlock(attemptsLeft)] : []),
      ...attemptBlocks(attempt, attempts.length + attemptsLeft > 1),
    ]),
  ];
}

function sectionOf(id: string, heading: string, content: Html): Html {
  return html`<section id="${id}" aria-labelledby="${id}-head"><h2 id="${id}-head">${heading}</h2>${content}</section>\n`;
}

function leftBlock(count: number): SessionBlock {
  const text = html`<p class="card note" id="attempts-left">${countText(count, "attempt")} left out here. <code>logs --attempt</code> shows them.</p>\n`;
  return { id: "attempts-left", html: text };
}

function failuresBlock({ attempts }: SessionPage): SessionBlock[] {
  const all = attempts.flatMap(({ talk }) => (talk.steps ? failedSteps(talk.steps) : []));
  if (all.length === 0) return [];
  const items = all
    .slice(-mostFailures)
    .map(({ id, words }) => html`<li><a href="#${id}">${oneLine(words, 160)}</a></li>`);
  const rest = all.length - items.length;
  const before = rest > 0 ? html`<p>${countText(rest, "earlier one")}, and:</p>` : nothing;
  const size = html`${countText(all.length, "step")} failed`;
  const list = html`<details><summary>${size}</summary>${before}<ul>${items}</ul></details>`;
  return [
    { id: "failures", html: html`<nav class="card" id="failures" aria-label="Failed steps">${list}</nav>\n` },
  ];
}

function attemptBlocks(attempt: AttemptView, isOneOfMany: boolean): SessionBlock[] {
  const { number, talk, checks, stderr, status } = attempt;
  const id = attemptId(number);
  const heading = isOneOfMany ? `Attempt ${numberText(number)}` : "Conversation";
  const err =
    stderr === ""
      ? []
      : [
          {
            id: `${id}-stderr`,
            html: html`<details class="call" id="${id}-stderr"${status.className === "bad" ? html` open` : nothing}><summary>Stderr</summary><pre class="plain">${stderr}</pre></details>\n`,
          },
        ];
  return [
    { id, html: attemptHead(id, heading, attempt) },
    ...talkBlocks(talk, id),
    ...err,
    ...checks.flatMap((check) => {
      const own = `${id}-check-${check.number}`;
      const head = html`<h3 id="${own}">Check: ${oneLine(check.name, 300)}</h3>\n`;
      return [{ id: own, html: head }, ...talkBlocks(check.talk, own)];
    }),
  ];
}

function attemptHead(id: string, heading: string, attempt: AttemptView): Html {
  const { resumes, remark, prompt, status, usage, startedAt, endedAt, machine, talk } = attempt;
  const code = (text: string) => (text === "" ? undefined : html`<code>${text}</code>`);
  const facts = factsHtml(
    [
      ["Started", timeHtml(startedAt, timeText(startedAt))],
      ["Took", endedAt === undefined ? undefined : durationText(endedAt - startedAt)],
      ["Cost", usage && costText(usage.costUsd, usage.atLeast)],
      ["Tokens", usage && tokensText(usage)],
      ["Model", talk.model],
      ["Ran on", machine],
      ["Session", code(talk.sessionId)],
      ["Transcript", code(talk.transcript)],
    ],
    "long",
  );
  const how = resumes ? html`<p>Continues the conversation of the previous attempt.</p>` : nothing;
  const note = remark === undefined ? nothing : html`<p class="note">${remark}</p>`;
  const asked =
    prompt === undefined
      ? nothing
      : html`<div class="asks"><p class="who">Prompt</p><pre class="plain" dir="auto">${cut(prompt, longestPrompt)}</pre></div>`;
  const word = html`<span class="s ${status.className}">${status.word}</span>`;
  return html`<div class="attempt" id="${id}"><h2>${heading} <small>${word}</small></h2>${how}${note}<details><summary>Facts</summary>${facts}</details>${asked}</div>\n`;
}

function tokensText({ models = {} }: Usage): string {
  const sum = { input: 0, output: 0, cacheRead: 0, cacheWritten: 0 };
  for (const one of Object.values(models)) {
    sum.input += one.input;
    sum.output += one.output;
    sum.cacheRead += one.cacheRead;
    sum.cacheWritten += one.cacheWritten;
  }
  if (sum.input + sum.output + sum.cacheRead + sum.cacheWritten === 0) return "";
  return [
    `${numberText(sum.input)} in`,
    `${numberText(sum.output)} out`,
    `${numberText(sum.cacheRead)} read from the cache`,
    `${numberText(sum.cacheWritten)} written to it`,
  ].join(", ");
}

function talkBlocks({ steps, transcript, isOver }: Talk, id: string): SessionBlock[] {
  const only = (text: Html) => [
    { id: `${id}-none`, html: html`<p class="note" id="${id}-none">${text}</p>\n` },
  ];
  if (!steps) return only(html`The transcript <code>${transcript}</code> no longer exists.`);
  const { all, left } = steps;
  if (all.length === 0)
    return only(html`${isOver ? "The session has said nothing." : "The session has said nothing yet."}`);
  const gapId = `${id}-left`;
  const shown = stepsHtml(steps, { isOver }, gapId);
  // What is left out stands between the first and the last ones.
  const idsOf = all.map((step) => step.id);
  if (left > 0) idsOf.splice(steps.first.length, 0, gapId);
  return shown.map((block, index) => ({ id: idsOf[index] ?? "", html: block }));
}

/** The lower end, as it changes. */
function footHtml({ batchId, taskNumber, isRunning, feedHref, now }: SessionPage): Html {
  const follows = isRunning && feedHref !== "" ? "This page follows the session while it runs. " : "";
  return html`<p data-${data.at}="${now}">${follows}As of ${timeHtml(now, timeText(now))}. Long texts and conversations are shortened; transcripts have everything.</p><p>In a terminal: <code>${product.name} logs ${batchId} ${taskNumber}</code></p>`;
}
