// `@path` in a task. Claude Code attaches such a file regardless of permissions, even outside the working directory.
// Decides which files it may attach, and how to prevent it from attaching others.
import { cut } from "../model/cut.ts";
import type { SessionOptions } from "../model/options.ts";
import { exists, realPath } from "../platform/files.ts";
import { absolutePath, isWithin } from "../platform/paths.ts";
import { type Mention, mentionsIn } from "./mention-scan.ts";
import { hasRead, type ReadOptions } from "./read-tool.ts";

export type MentionOptions = ReadOptions &
  Pick<SessionOptions, "fileMentions" | "slashCommands" | "mcpConfig">;

type TextBlock = { type: "text"; text: string };

/** Most different mentions to check in one prompt, and most in all. Later ones are plain text. */
const mostNames = 1_000;
const mostMentions = 100_000;

/**
 * The content of a prompt's message. Claude Code (2.1.197 and 2.1.332) expands mentions only in the last text block, and
 * drops a blank one. So the first block is the unchanged prompt, and the last one contains only the allowed mentions. A
 * slash command is recognised only in a message of one text: there, other mentions are broken up.
 */
export function messageContent(
  text: string,
  options: MentionOptions,
  workingDirectory: string,
): string | [TextBlock, TextBlock] {
  if (!text.includes("@")) return text;
  if (isSlashCommand(text, options)) return withoutOthers(text, judgeOf(options, workingDirectory));
  const attached = new Set<string>();
  for (const { judgement } of judged(text, options, workingDirectory))
    if (judgement.attached !== undefined) attached.add(judgement.attached);
  return [block(text), block([...attached].join("\n") || " ")];
}

/** Most mentions that one remark lists, and most characters of each. */
const mostTold = 10;
const longestTold = 120;

/**
 * The mentions in a prompt that name something which exists but was not attached: as written, each once. After the first
 * ten, how many more there are.
 */
export function neutralisedMentions(
  text: string,
  options: MentionOptions,
  workingDirectory: string,
): string[] {
  const refused = new Set<string>();
  for (const { mention, judgement } of judged(text, options, workingDirectory))
    if (judgement.kind === "refused") refused.add(mention.written);
  const told = [...refused].slice(0, mostTold).map((written) => cut(written, longestTold));
  return refused.size > mostTold ? [...told, `and ${refused.size - mostTold} more`] : told;
}

/** Since 2.1.299, this variable keeps Claude Code from expanding mentions, also in subagents' prompts. */
export const mentionsOff = "CLAUDE_CODE_DISABLE_FILE_MENTIONS";

/** Environment variables that let only the task itself attach files. */
export function mentionEnvironment(
  text: string,
  options: MentionOptions,
  workingDirectory: string,
): Record<string, string> {
  // A command's own file may mention others; allowing slash commands allows that.
  const needed =
    options.fileMentions &&
    (isSlashCommand(text, options) || attachesFile(judged(text, options, workingDirectory)));
  return needed ? {} : { [mentionsOff]: "1" };
}

function attachesFile(all: Iterable<{ judgement: Judgement }>): boolean {
  for (const { judgement } of all) if (judgement.kind === "file") return true;
  return false;
}

type Judgement =
  /** Claude Code may attach it, or knows it as an agent: `attached` replaces it in the last block. */
  | { kind: "file" | "agent"; attached: string }
  /** It exists, and must not be attached. */
  | { kind: "refused"; attached?: undefined }
  /** Nothing has that name. `isInside`: whether it would be where files may be attached. */
  | { kind: "nothing"; isInside: boolean; attached?: undefined };

type Judge = (mention: Mention) => Judgement;

function* judged(
  text: string,
  options: MentionOptions,
  workingDirectory: string,
): Generator<{ mention: Mention; judgement: Judgement }> {
  if (!text.includes("@")) return;
  const judge = judgeOf(options, workingDirectory);
  let count = 0;
  for (const mention of mentionsIn(text)) {
    if (++count > mostMentions) return;
    yield { mention, judgement: judge(mention) };
  }
}

/** Checks each name once, and at most `mostNames`: further ones are not attached. */
function judgeOf(options: MentionOptions, workingDirectory: string): Judge {
  const judge = judgeOfOne(options, workingDirectory);
  const known = new Map<string, Judgement>();
  return (mention) => {
    const before = known.get(mention.written);
    if (before) return before;
    if (mention.name === "" || known.size >= mostNames) return { kind: "nothing", isInside: false };
    const judgement = judge(mention);
    known.set(mention.written, judgement);
    return judgement;
  };
}

function judgeOfOne(options: MentionOptions, workingDirectory: string): Judge {
  const directories = [workingDirectory, ...(options.addDirectories ?? [])];
  const roots = directories.map(realPath);
  const mayRead = options.fileMentions && hasRead(options, workingDirectory);
  return ({ name, isAgent, written }) => {
    // `@server:uri` reads a resource of an MCP server.
    if (options.mcpConfig !== undefined && /^[^/~.]+:./.test(name)) return { kind: "refused" };
    const [path = "", ...fragment] = name.split("#");
    const absolute = absolutePath(path, workingDirectory);
    if (!exists(absolute)) {
      if (isAgent) return options.fileMentions ? { kind: "agent", attached: written } : { kind: "refused" };
      return {
        kind: "nothing",
        isInside: mayRead && directories.some((directory) => isWithin(absolute, directory)),
      };
    }
    // Claude Code also reads a file with an agent's name, so it counts as a file.
    const real = realPath(absolute);
    const isInside = roots.some((root) => isWithin(real, root));
    if (!isInside || !mayRead || !canBeQuoted(real)) return { kind: "refused" };
    const lines = fragment.join("#");
    return { kind: "file", attached: `@"${real}${/^L?\d+(?:-\d+)?$/.test(lines) ? `#${lines}` : ""}"` };
  };
}

// Quoted in the last block, a path must not end its quotes or contain another mention. After the first `#`, Claude Code
// reads line numbers, and would take another file.
function canBeQuoted(real: string): boolean {
  return !/["#]/.test(real) && mentionsIn(`"${real}`).next().done === true;
}

function isSlashCommand(text: string, { slashCommands }: MentionOptions): boolean {
  return slashCommands && text.startsWith("/");
}

// A zero-width space before the `@` keeps Claude Code from expanding it.
function withoutOthers(text: string, judge: Judge): string {
  const parts: string[] = [];
  let from = 0;
  for (const mention of mentionsIn(text)) {
    const judgement = judge(mention);
    const stays = judgement.kind === "nothing" ? judgement.isInside : judgement.kind !== "refused";
    if (stays) continue;
    parts.push(text.slice(from, mention.index), "\u200b");
    from = mention.index;
  }
  return [...parts, text.slice(from)].join("");
}

function block(text: string): TextBlock {
  return { type: "text", text };
}
