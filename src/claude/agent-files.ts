// The agents that a working directory defines. Without asking, Claude Code prefers them to its own of the same name.
import { exists, isDirectory, readSmallFile, realPath } from "../platform/files.ts";
import { namesIn } from "../platform/folders.ts";
import { dirname, homeDirectory, join } from "../platform/paths.ts";
import { repositoryOf } from "./repository.ts";

export interface AgentFile {
  /** Absolute. */
  file: string;
  /** The header before its prompt; absent if we cannot read it as YAML. */
  fields?: Record<string, unknown>;
  /** Fields that change what the agent may do. */
  effects: string[];
}

/** Fields that let an agent exceed the session's permissions, or run commands. */
const effective = ["permissionMode", "hooks", "mcpServers"] as const;

/** Longer files are not read, in bytes. */
const mostBytes = 256_000;
/** Most files and folders to search below one directory, and how deep. */
const mostEntries = 500;
const deepest = 6;

/**
 * The project agents of a session in this directory: of the directory itself, of its parents up to the root of the
 * repository, and of added directories (seen with 2.1.197 and 2.1.332). Without a repository, up to the root or the
 * user's home, whose agents are the user's own.
 */
export function agentFiles(workingDirectory: string, added: readonly string[] = []): AgentFile[] {
  const from = realPath(workingDirectory);
  const repository = repositoryOf(from);
  const places = new Set([
    ...upTo(from, repository?.root),
    ...(repository ? [repository.main] : []),
    ...added,
  ]);
  return [...places].flatMap((place) => markdownBelow(join(place, ".claude", "agents"))).map(agentIn);
}

function upTo(from: string, root: string | undefined): string[] {
  const home = realPath(homeDirectory());
  const found: string[] = [];
  for (let at = from; at !== home; at = dirname(at)) {
    found.push(at);
    if (at === root || dirname(at) === at) break;
  }
  return found;
}

function markdownBelow(top: string): string[] {
  const found: string[] = [];
  let left = mostEntries;
  look(top, 0);
  return found;

  function look(folder: string, depth: number): void {
    for (const name of namesOf(folder)) {
      if (--left < 0 || depth > deepest) return;
      const path = join(folder, name);
      if (isDirectory(path)) look(path, depth + 1);
      else if (name.endsWith(".md") && exists(path)) found.push(path);
    }
  }
}

function agentIn(file: string): AgentFile {
  const read = readSmallFile(file, mostBytes);
  if (read.kind !== "bytes") return { file, effects: [unread] };
  const text = new TextDecoder().decode(read.bytes);
  const front = /^---[^\S\n]*\n([\s\S]*?)\n---/.exec(text)?.[1] ?? "";
  const fields = yamlIn(front);
  // Claude Code reads more than YAML, so field names are also searched as text.
  const effects = effective.filter(
    (name) => fields?.[name] !== undefined || new RegExp(`(?<!\\w)${name}["']?\\s*:`).test(front),
  );
  if (fields) return { file, fields, effects: effects.map(quoted) };
  // In a quoted name, any letter may be an escape.
  return { file, effects: front.includes("\\") ? [unread] : effects.map(quoted) };
}

const unread = "what cannot be read here";

function quoted(name: string): string {
  return `\`${name}\``;
}

function yamlIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = Bun.YAML.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    // The caller handles it.
    return undefined;
  }
}

function namesOf(folder: string): ReadonlySet<string> {
  try {
    return namesIn(folder);
  } catch {
    // No folder, or no permission: Claude Code runs as the same user.
    return new Set();
  }
}
