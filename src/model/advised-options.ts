// The options that would have allowed everything that a task was denied.
import type { BroadReason, Denial, Obstacle, Remedy } from "./outcome.ts";

type Remedying = Extract<Remedy, { kind: "options" }>;

/** What to add to a task's options, and what to remove from them. */
export interface AdvisedOptions {
  allowedTools: string[];
  /** Absolute paths. */
  addDirectories: string[];
  permissionMode?: NonNullable<Remedying["permissionMode"]>;
  /** Names to add to `tools`. */
  tools: string[];
  /** Rules to remove from `disallowedTools`. */
  notDisallowed: string[];
  /** Why rules are as wide, or as narrow, as they are. */
  broad: NonNullable<Remedying["broad"]>[];
  /** What no option allows. */
  obstacles: Obstacle[];
}

/** The remedies of all denials combined. Denials in old logs have only a rule. */
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
    // A rule for a whole tool covers all other rules of it.
    allowedTools: rules.filter((rule) => !rules.includes(rule.replace(/\(.*$/s, "")) || !rule.includes("(")),
    addDirectories: all(({ addDirectories }) => addDirectories),
    ...(permissionMode ? { permissionMode } : {}),
    tools: all(({ tools }) => tools),
    notDisallowed: all(({ notDisallowed }) => notDisallowed),
    broad: [...new Set(options.flatMap(({ broad }) => broad ?? []))].filter(
      (reason) => !rules.includes("Bash") || !ofRules.has(reason),
    ),
    obstacles: [...new Set(remedies.flatMap((remedy) => (remedy.kind === "none" ? remedy.obstacle : [])))],
  };
}

/** Reasons about a rule for one program. A rule for all of Bash makes them obsolete. */
const ofRules: ReadonlySet<BroadReason> = new Set(["runs-code", "any-path", "exact"]);
