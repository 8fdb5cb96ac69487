// The option `env` as a file: so that its values stand in no call and on no command line.
import { z } from "zod";
import { settingsIn } from "../claude/settings-file.ts";
import { kindAt } from "../platform/files.ts";
import { absolutePath } from "../platform/paths.ts";

const variables = z.record(z.string(), z.string());

/** The variables in a JSON file (or in a text that is JSON itself), or what is wrong with it, without its values. */
export function readVariables(
  given: string,
  from: string,
): { variables: Record<string, string> } | { fault: string } {
  const isText = given.trimStart().startsWith("{");
  const path = isText ? given : absolutePath(given, from);
  if (!isText && kindAt(path) !== "file") return { fault: `${path} is not a file` };
  const parsed = variables.safeParse(settingsIn(path));
  if (parsed.success) return { variables: parsed.data };
  return { fault: `${isText ? "" : `${path} `}is not a JSON object of strings` };
}
