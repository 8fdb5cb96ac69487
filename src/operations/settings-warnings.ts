// Which directories of a batch have settings of their own, and what these do.
import { projectWarnings } from "../claude/project-settings.ts";
import type { Task } from "../model/event.ts";
import { sessionOptions } from "../model/options.ts";
import { type Door, optionText } from "../report/option-words.ts";

/** Most warnings of one batch. */
const mostWarnings = 20;
const sources = sessionOptions.pick({
  workingDirectory: true,
  settingSources: true,
  restricted: true,
  addDirectories: true,
});
const names = Object.keys(sources.shape);

/** A warning for each settings file in force for a task, for one door. Options as stored: raw, with absolute paths. */
export function settingsWarnings(
  common: Record<string, unknown>,
  tasks: readonly Task[],
  { defaultDirectory, door }: { defaultDirectory: string; door: Door },
): string[] {
  // Ten thousand tasks usually share one directory.
  const distinct = new Map(
    tasks.map(({ options }) => {
      const merged = { ...common, ...options };
      const own = Object.fromEntries(names.map((name) => [name, merged[name]]));
      return [JSON.stringify(own), own] as const;
    }),
  );
  const all = [...distinct.values()].flatMap((own) => {
    const { workingDirectory = defaultDirectory, ...rest } = sources.parse(own);
    return projectWarnings(workingDirectory, rest);
  });
  const how = `${optionText(door, "settingSources", "user")} ignores it.`;
  const warnings = [...new Set(all)].map((warning) => `${warning} ${how}`);
  const more = warnings.length - mostWarnings;
  return more <= 0 ? warnings : [...warnings.slice(0, mostWarnings), `… and ${more} more of this kind.`];
}
