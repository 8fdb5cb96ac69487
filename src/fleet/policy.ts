// What a worker lets tasks do. Jobs come from everybody who has the fleet's key; each machine decides for itself.
import { isLocalUrl, urlTrouble } from "../git/remote.ts";
import { expectation } from "../model/checks.ts";
import { policyOfOption, type WorkerPolicy } from "../model/fleet.ts";
import { toolRuleList } from "../model/options.ts";
import { isAbsolute, isWithin, resolve } from "../platform/paths.ts";
import type { Work } from "./work.ts";

/** The part of a job that a policy is about. */
export interface Asked {
  /** The task as `run-task` takes it, not parsed yet. */
  spec: Readonly<Record<string, unknown>>;
  work: Work;
  /** The most that this attempt may cost, whatever the spec says (USD). */
  budgetUsd?: number | undefined;
}

/** Names in a spec that are no options of a session, and mean nothing to a machine. */
const harmlessNames: readonly string[] = ["task", "key", "batchName"];

/** Why this worker does not run a task, as a sentence; undefined if it does. Whatever is unknown is refused. */
export function refusal(asked: Asked, policy: WorkerPolicy): string | undefined {
  return workRefusal(asked.work, policy) ?? optionRefusal(asked.spec, policy) ?? budgetRefusal(asked, policy);
}

function workRefusal(work: Work, policy: WorkerPolicy): string | undefined {
  switch (work.kind) {
    case "empty":
      return undefined;
    case "shared":
      if (isAbsolute(work.path) && isInside(work.path, policy.directories)) return undefined;
      return `This worker lets no task work in ${work.path}: its policy does not list the directory.`;
    case "git": {
      const wrong = urlTrouble(work.url);
      if (wrong !== undefined) return `The address of the repository ${wrong}.`;
      if (/(?:^|\/)\.\.?(?:\/|$)|^\/|\\|\0/.test(work.below)) return "The directory leaves its repository.";
      if (policy.repositories.some((pattern) => matches(pattern, work.url))) return undefined;
      return `This worker lets no task work in ${work.url}: its policy does not list the repository.`;
    }
  }
}

// A repository on the worker's own disk must be listed as such: "*" means those of other machines.
function matches(pattern: string, text: string): boolean {
  if (isLocalUrl(text) && !isLocalUrl(pattern)) return false;
  const escaped = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${escaped.join(".*")}$`, "s").test(text);
}

function isInside(path: string, directories: readonly string[]): boolean {
  return directories.some((directory) => isWithin(resolve(path), directory));
}

function optionRefusal(spec: Asked["spec"], policy: WorkerPolicy): string | undefined {
  for (const [name, value] of Object.entries(spec)) {
    if (!isUsed(value) || harmlessNames.includes(name)) continue;
    const how = isOption(name) ? policyOfOption[name] : "never";
    if (how === "never") return `A worker takes no \`${name}\` from a task.`;
    if (how === "opt-in" && !policy.options.some((allowed) => allowed === name))
      return `This worker lets no task use \`${name}\`, which can run commands: its policy does not list it in \`options\`.`;
  }
  return (
    toolRefusal(spec, policy) ??
    modeRefusal(spec["permissionMode"], policy) ??
    modelRefusal(spec, policy) ??
    directoryRefusal(spec["addDirectories"], policy) ??
    fileRefusal(spec) ??
    checkRefusal(spec["expect"], policy) ??
    sourceRefusal(spec, policy)
  );
}

// What is switched off, or empty, asks for nothing.
function isUsed(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}

function isOption(name: string): name is keyof typeof policyOfOption {
  return Object.hasOwn(policyOfOption, name);
}

function toolRefusal(spec: Asked["spec"], { tools }: WorkerPolicy): string | undefined {
  const unread = ["tools", "allowedTools"].find((name) => !isList(spec[name]));
  if (unread !== undefined) return `The task's \`${unread}\` is neither a text nor a list.`;
  if (!tools) return undefined;
  const allowed = `This worker allows only these tools: ${tools.join(", ")}.`;
  const named = spec["tools"];
  // Without the option, a session has every built-in tool.
  if (named === undefined) return `${allowed} The task must name its own in \`tools\`.`;
  const extra = rulesIn(named).find((name) => !tools.some((one) => toolOf(one) === toolOf(name)));
  if (extra !== undefined) return `${allowed} The task has ${extra} in \`tools\`.`;
  const rule = rulesIn(spec["allowedTools"]).find(
    (wanted) => !tools.some((one) => one === wanted || one === toolOf(wanted)),
  );
  if (rule !== undefined) return `${allowed} The task has ${rule} in \`allowedTools\`.`;
  const far = rulesIn(spec["allowedTools"]).find(
    (wanted) => leavesDirectory(wanted) && !tools.includes(wanted),
  );
  return far === undefined
    ? undefined
    : `This worker allows rules for files only below the working directory, unless its policy lists them: not ${far}.`;
}

const rulesOfFiles = /^(?:Read|Edit|Write|MultiEdit|NotebookEdit|NotebookRead|Glob|Grep|LS)\((.*)\)?$/s;

// An absolute path, one in the home directory, or one that leads up.
function leavesDirectory(rule: string): boolean {
  const path = rulesOfFiles.exec(rule)?.[1]?.trim();
  return (
    path !== undefined && (/^(?:[/\\~]|[A-Za-z]:)/.test(path) || /(?:^|[/\\])\.\.(?:[/\\]|\)?$)/.test(path))
  );
}

function isList(value: unknown): boolean {
  return value === undefined || typeof value === "string" || Array.isArray(value);
}

function toolOf(rule: string): string {
  return rule.split("(", 1)[0] ?? rule;
}

function rulesIn(value: unknown): string[] {
  if (typeof value === "string") return toolRuleList(value);
  return Array.isArray(value) ? toolRuleList(value.map(String)) : [];
}

function modeRefusal(given: unknown, { permissionModes }: WorkerPolicy): string | undefined {
  const mode = given ?? "default";
  if (permissionModes.some((allowed) => allowed === mode)) return undefined;
  return `This worker does not allow the permission mode ${String(mode)}; it allows ${permissionModes.join(", ")}.`;
}

function modelRefusal(spec: Asked["spec"], { models }: WorkerPolicy): string | undefined {
  if (!models) return undefined;
  const allowed = `This worker allows only these models: ${models.join(", ")}.`;
  const own = String(spec["model"] ?? "").trim();
  if (own === "") return `${allowed} The task must name its own in \`model\`.`;
  const fallbacks = String(spec["fallbackModel"] ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  const wanted = [own, ...fallbacks];
  const other = wanted.find((name) => !models.includes(name));
  return other === undefined ? undefined : `${allowed} The task names ${other}.`;
}

function directoryRefusal(value: unknown, { directories }: WorkerPolicy): string | undefined {
  const wanted = Array.isArray(value) ? value.map(String) : value === undefined ? [] : [String(value)];
  const outside = wanted.find((path) => !isAbsolute(path) || !isInside(path, directories));
  return outside === undefined
    ? undefined
    : `This worker lets no task reach ${outside}: its policy does not list the directory.`;
}

/** Options whose text is the name of a file, which would be one of the worker's. */
const ofFiles = ["outputSchema", "mcpConfig", "settings"] as const;

function fileRefusal(spec: Asked["spec"]): string | undefined {
  const named = ofFiles.find((name) => {
    const value = spec[name];
    return typeof value === "string" && !/^\s*\{/.test(value);
  });
  return named === undefined
    ? undefined
    : `A worker reads no file for \`${named}\`: the task must contain it.`;
}

/** What of `expect` needs nothing but the answer, or a session. */
const harmlessChecks: readonly string[] = ["pattern", "schema", "question", "model", "timeoutSeconds"];

function checkRefusal(expect: unknown, { models }: WorkerPolicy): string | undefined {
  if (expect === undefined || expect === null) return undefined;
  if (typeof expect !== "object") return "The task's `expect` is no object.";
  const checks = new Map<string, unknown>(Object.entries(expect));
  const unknown = [...checks.keys()].find((name) => !harmlessChecks.includes(name));
  if (unknown === "command") return "A worker runs no command that checks an answer.";
  if (unknown !== undefined) return `A worker takes no \`${unknown}\` in \`expect\`.`;
  const schema = checks.get("schema");
  if (typeof schema === "string" && !/^\s*\{/.test(schema))
    return "A worker reads no file for `expect.schema`: the task must contain it.";
  if (!models || !checks.has("question")) return undefined;
  const judge = String(checks.get("model") ?? expectation.shape.model.parse(undefined)).trim();
  return models.includes(judge)
    ? undefined
    : `This worker allows only these models: ${models.join(", ")}. The task's \`expect\` asks ${judge || "none"}.`;
}

// Hooks in the settings of a repository run commands, whatever the tools of a session.
function sourceRefusal(spec: Asked["spec"], policy: WorkerPolicy): string | undefined {
  if (policy.projectSettings ?? policy.tools === undefined) return undefined;
  if (spec["restricted"] === true) return undefined;
  const sources = spec["settingSources"];
  const isUnread =
    (typeof sources === "string" || Array.isArray(sources)) &&
    rulesIn(sources).every((name) => name === "user");
  return isUnread
    ? undefined
    : 'This worker does not read the settings of repositories, which can run commands: the task must set `settingSources` to "user" or "".';
}

function budgetRefusal({ spec, budgetUsd }: Asked, { maxBudgetUsd }: WorkerPolicy): string | undefined {
  if (maxBudgetUsd === undefined) return undefined;
  const own = typeof spec["maxBudgetUsd"] === "number" ? spec["maxBudgetUsd"] : Number.POSITIVE_INFINITY;
  if (Math.min(own, budgetUsd ?? Number.POSITIVE_INFINITY) <= maxBudgetUsd) return undefined;
  return `A task may cost at most ${maxBudgetUsd} USD on this worker: set \`maxBudgetUsd\` to that or less.`;
}
