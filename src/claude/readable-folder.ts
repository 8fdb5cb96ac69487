// The permission to read one folder, and to do nothing else in it.
import { type SessionOptions, toolRuleList } from "../model/options.ts";

/**
 * Options with which a session may also read the files of a folder (absolute). A rule for `Read` allows no edit, as an
 * added directory would. A restricted session reads only in its directories: it gets the directory, and a rule against
 * edits in it. A path that cannot stand in a rule is only added.
 */
export function withReadableFolder(options: SessionOptions, folder: string): SessionOptions {
  const files = ruleText(folder);
  if (files !== undefined && !options.restricted)
    return { ...options, allowedTools: [...toolRuleList(options.allowedTools ?? []), `Read(${files})`] };
  const added = { ...options, addDirectories: [...(options.addDirectories ?? []), folder] };
  if (files === undefined) return added;
  // Of all tools that change files.
  return { ...added, disallowedTools: [...toolRuleList(options.disallowedTools ?? []), `Edit(${files})`] };
}

// `//` begins an absolute path, as in `.gitignore` files; a drive is its first folder. Undefined for a path with signs that
// mean something in a rule or a pattern.
function ruleText(folder: string): string | undefined {
  const path = folder
    .replace(/^([A-Za-z]):/, (_, drive: string) => `/${drive.toLowerCase()}`)
    .replaceAll("\\", "/");
  return /^\/[^()[\]{}*?!,\\\n]*$/.test(path) ? `/${path}/**` : undefined;
}
