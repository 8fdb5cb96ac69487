// What a session is doing, in a line for people.
import { shownPath } from "../platform/paths.ts";
import { openAgents } from "./background.ts";
import type { Reading } from "./reading.ts";

const longestActivity = 120;

/** The activity of a session that has answered. */
export const answered = "answered";

/** What the session is doing, for people; after its answer, what it waits for. */
export function activityOf({ answer, turnIsOpen, background, activity }: Reading): string | undefined {
  if (!answer || turnIsOpen || background.open.size === 0) return activity;
  const agents = openAgents(background);
  const open = agents.length > 0 ? agents : [...background.open.values()];
  const kind = agents.length > 0 ? "subagent" : "background command";
  const names = open.map(({ description }) => description).join(", ");
  const doing = activity === undefined || activity === answered ? "" : ` · ${activity}`;
  return oneLine(
    `waiting for ${open.length === 1 ? `a ${kind}` : `${open.length} ${kind}s`}: ${names}${doing}`,
  );
}

/** What to show of a content block, with paths relative to `directory`; undefined if nothing. */
export function blockText(
  block: { type: string; text?: string | undefined; name?: string | undefined; input?: unknown },
  directory: string | undefined,
) {
  if (block.type === "tool_use")
    return oneLine(`${block.name ?? "tool"} ${subjectOf(block.input, directory)}`);
  if (block.type === "text" && block.text !== undefined) return oneLine(block.text);
  return block.type === "thinking" ? "thinking" : undefined;
}

// The most informative value: the command, the file, the pattern, a subagent's purpose; otherwise the first string.
function subjectOf(input: unknown, directory: string | undefined): string {
  if (typeof input !== "object" || input === null) return "";
  const values = new Map<string, unknown>(Object.entries(input));
  for (const name of ["command", "file_path", "pattern", "url", "query", "description"]) {
    const value = values.get(name);
    if (typeof value !== "string") continue;
    return name === "file_path" && directory !== undefined ? shownPath(value, directory) : value;
  }
  return [...values.values()].find((value) => typeof value === "string") ?? "";
}

function oneLine(text: string): string {
  const line = text
    .slice(0, 4 * longestActivity)
    .replace(/\s+/g, " ")
    .trim();
  return line.length > longestActivity ? `${line.slice(0, longestActivity - 1)}…` : line;
}
