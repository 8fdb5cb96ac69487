// The permission to read one folder, and to do nothing else in it.
import { type SessionOptions, toolRuleList } from "../model/options.ts";

/**
 * Options with which a session may also read the files of a folder (absolute). A rule for `Read` allows no edit, as an
 * added directory would; but a restricted session reads only in its directories, and some paths cannot stand in a rule.
 */
export function withReadableFolder(options: SessionOptions, folder: string): SessionOptions {
  const rule = options.restricted ? undefined : readRule(folder);
  if (rule === undefined) return { ...options, addDirectories: [...(options.addDirectories ?? []), folder] };
  return { ...options, allowedTools: [...toolRuleList(options.allowedTools ?? []), rule] };
}

// `//` begins an absolute path, as in `.gitignore` files; a drive is its first folder. Undefined for a path with signs that
// mean something in a rule or a pattern.
function readRule(folder: string): string | undefined {
  const path = folder
    .replace(/^([A-Za-z]):/, (_, drive: string) => `/${drive.toLowerCase()}`)
    .replaceAll("\\", "/");
  return /^\/[^()[\]{}*?!,\\\n]*$/.test(path) ? `Read(/${path}/**)` : undefined;
}
