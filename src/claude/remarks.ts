// What did not take effect or was unusual, although nothing failed. Reported with the result.
import { familyIn } from "../model/limit-types.ts";
import { type SessionOptions, toolRuleList } from "../model/options.ts";
import type { BackgroundTask } from "./background.ts";
import { neutralisedMentions } from "./mentions.ts";
import { answersOf, type Reading } from "./reading.ts";

interface RemarkFacts {
  options: SessionOptions;
  /** The task's prompt. */
  task: string;
  workingDirectory: string;
  /** Background commands still running when their time was over. */
  stopped: readonly BackgroundTask[];
  /** The end of what the CLI wrote to stderr. */
  stderr: string;
}

const mostWarnings = 3;
const longestWarning = 300;

/**
 * Sentences, most important first. They are stored with the options' names in backticks, as tools call them; what shows
 * them words these for its reader.
 */
export function remarksOf(reading: Reading, facts: RemarkFacts): string[] {
  return [
    ...lostRemarks(reading),
    ...modelRemarks(reading, facts.options),
    ...permissionRemarks(reading, facts.options),
    ...toolRemarks(reading, facts.options),
    ...serverRemarks(reading),
    ...mentionRemarks(facts),
    ...hookRemarks(reading),
    ...stoppedRemarks(facts),
    ...(reading.isUnsaved
      ? ["Claude Code could not save the conversation (no space left), so it cannot be resumed."]
      : []),
    ...warnings(facts.stderr),
  ];
}

function lostRemarks({ lostResults, foreignResults, cutAgents }: Reading): string[] {
  const agents = cutAgents.map(({ description }) => `"${description}"`).join(", ");
  return [
    ...(lostResults > 0
      ? [
          `Claude Code did not print ${lostResults} of the session's results, so part of the answer may be missing.`,
        ]
      : []),
    ...(foreignResults > 0
      ? [`Another session sent messages to this one. Its replies to them are not part of the result.`]
      : []),
    ...(cutAgents.length > 0 ? [`Subagents were stopped before they finished: ${agents}.`] : []),
  ];
}

function modelRemarks({ init, fallbacks }: Reading, { model: asked }: SessionOptions): string[] {
  const replaced = [
    ...new Set(fallbacks.map(({ from, to }) => `${from ?? "the model"} by ${to ?? "another"}`)),
  ];
  const used = init?.model;
  const isOther = asked !== undefined && used !== undefined && !isModel(used, asked);
  return [
    ...(isOther ? [`The session ran with the model ${used}, not with "${asked}".`] : []),
    ...(replaced.length > 0
      ? [`A model was replaced because it was not available: ${replaced.join(", ")}.`]
      : []),
  ];
}

// An alias means a model of its family. Nothing is known about other aliases (`best`) and custom names (of a gateway or
// Bedrock).
function isModel(used: string, asked: string): boolean {
  const bare = (name: string) => name.toLowerCase().replace(/\[.*\]$/, "");
  const familyOf = (name: string) => familyIn(bare(name));
  if (bare(asked) === "opusplan") return true;
  const [wanted, got] = [familyOf(asked), familyOf(used)];
  if (wanted !== undefined && got !== undefined && wanted !== got) return false;
  const isFull = (name: string) => bare(name).startsWith("claude-");
  return !isFull(asked) || !isFull(used) || bare(used).startsWith(bare(asked));
}

function permissionRemarks({ init }: Reading, options: SessionOptions): string[] {
  const { permissionMode: asked = "default" } = options;
  // The help of newer versions calls the default mode `manual`.
  const used = init?.permissionMode?.replace(/^manual$/, "default");
  if (used === undefined || used === asked) return [];
  const why =
    options.permissionMode === undefined
      ? "No mode was requested, so your settings, an administrator's, or the default of this version of Claude Code decide."
      : "Your settings or an administrator's do not allow the requested mode.";
  return [`The session ran in permission mode "${used}", not in "${asked}". ${why}`];
}

function toolRemarks({ init }: Reading, { tools, disallowedTools }: SessionOptions): string[] {
  const there = init?.tools;
  if (tools === undefined || there === undefined) return [];
  // The list has the subagent tool under its older name.
  const known = new Set([...there, ...(there.includes("Task") ? ["Agent"] : [])]);
  const denied = new Set(toolRuleList(disallowedTools ?? ""));
  const missing = toolRuleList(tools).filter(
    (name) => name !== "default" && !known.has(name) && !denied.has(name),
  );
  if (missing.length === 0) return [];
  const likes = missing.flatMap((name) => {
    const like = [...known].find((one) => one.toLowerCase() === name.toLowerCase());
    return like === undefined ? [] : [like];
  });
  const hint = likes.length === 0 ? "" : ` Names are case-sensitive: ${likes.join(", ")}.`;
  return [`The session has no tools with these names: ${missing.join(", ")}.${hint}`];
}

function serverRemarks({ init }: Reading): string[] {
  const failed = (init?.mcp_servers ?? []).filter(
    ({ status }) => status === "failed" || status === "needs-auth",
  );
  return failed.map(({ name, status }) =>
    status === "failed"
      ? `The MCP server "${name}" did not start, so its tools were unavailable.`
      : `The MCP server "${name}" requires a login, so its tools were unavailable.`,
  );
}

function mentionRemarks({ task, options, workingDirectory }: RemarkFacts): string[] {
  const names = neutralisedMentions(task, options, workingDirectory);
  return names.length === 0
    ? []
    : [
        `Files that the task mentions were not attached: ${names.join(", ")}. Only files in the working directory and in additional directories are attached, and only if the session may read.`,
      ];
}

function hookRemarks(reading: Reading): string[] {
  const isBlocked = answersOf(reading).length > 1 && reading.answer?.blockedBy !== undefined;
  return isBlocked
    ? ["A UserPromptSubmit hook blocked the turn that reports the end of background work to Claude."]
    : [];
}

function stoppedRemarks({ stopped, options }: RemarkFacts): string[] {
  const names = stopped.map(({ description }) => description).join(", ");
  return stopped.length === 0
    ? []
    : [
        `A background command was stopped because it was still running ${options.backgroundWaitSeconds} s after the answer: ${names}. To let such a command finish, set a longer \`backgroundWaitSeconds\`.`,
      ];
}

// The CLI's own warnings on stderr: an unknown effort, an ignored rule.
function warnings(stderr: string): string[] {
  const lines = stderr.split("\n").filter((line) => /^(?:Warning: |Ignoring )/.test(line));
  return lines.slice(0, mostWarnings).map((line) => `Claude Code said: ${line.slice(0, longestWarning)}`);
}
