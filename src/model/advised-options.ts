// The options that would have let everything through that a task was denied.
import { type SessionOptions, toolRuleList } from "./options.ts";
import type { Denial, Obstacle, Remedy } from "./outcome.ts";

type Remedying = Extract<Remedy, { kind: "options" }>;

/** What to add to the options of a task, and what to take out of them. */
export interface AdvisedOptions {
  allowedTools: string[];
  /** Absolute paths. */
  addDirectories: string[];
  permissionMode?: NonNullable<Remedying["permissionMode"]>;
  /** Names to add to `tools`. */
  tools: string[];
  /** Rules to take out of `disallowedTools`. */
  notDisallowed: string[];
  /** Why a rule is as wide as it is. */
  broad: NonNullable<Remedying["broad"]>[];
  /** What no option lifts. */
  obstacles: Obstacle[];
}

/** The remedies of all denials in one. Denials of old logs have only a rule. */
export function advisedOptions(denials: readonly Denial[]): AdvisedOptions {
  const remedies = denials.map(
    ({ remedy, rule }): Remedy => remedy ?? { kind: "options", allowedTools: [rule] },
  );
  const options = remedies.filter((remedy) => remedy.kind === "options");
  const all = (list: (remedy: Remedying) => readonly string[] | undefined) => [
    ...new Set(options.flatMap((remedy) => list(remedy) ?? [])),
  ];
  const modes = options.map(({ permissionMode }) => permissionMode);
  const permissionMode = modes.includes("acceptEdits") ? "acceptEdits" : modes.find(Boolean);
  const rules = all(({ allowedTools }) => allowedTools);
  return {
    // A rule for the whole tool covers all its others.
    allowedTools: rules.filter((rule) => !rules.includes(rule.replace(/\(.*$/s, "")) || !rule.includes("(")),
    addDirectories: all(({ addDirectories }) => addDirectories),
    ...(permissionMode ? { permissionMode } : {}),
    tools: all(({ tools }) => tools),
    notDisallowed: all(({ notDisallowed }) => notDisallowed),
    broad: [...new Set(options.flatMap(({ broad }) => broad ?? []))],
    obstacles: [...new Set(remedies.flatMap((remedy) => (remedy.kind === "none" ? remedy.obstacle : [])))],
  };
}

/** The options of a task as they are when the advice is followed. */
export function withAdvice(options: SessionOptions, advised: AdvisedOptions): SessionOptions {
  const { allowedTools, addDirectories, permissionMode, tools, notDisallowed } = advised;
  const listed = (rules: SessionOptions["allowedTools"]) => toolRuleList(rules ?? []);
  return {
    ...options,
    ...(allowedTools.length > 0 ? { allowedTools: [...listed(options.allowedTools), ...allowedTools] } : {}),
    ...(addDirectories.length > 0
      ? { addDirectories: [...(options.addDirectories ?? []), ...addDirectories] }
      : {}),
    ...(permissionMode ? { permissionMode } : {}),
    ...(tools.length > 0 ? { tools: [...listed(options.tools), ...tools] } : {}),
    ...(notDisallowed.length > 0
      ? { disallowedTools: listed(options.disallowedTools).filter((rule) => !notDisallowed.includes(rule)) }
      : {}),
  };
}
