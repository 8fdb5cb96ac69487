// `@path` in a task. Claude Code attaches such a file past all permissions, also one outside the working directory; here
// is decided which ones it may attach, and what is sent so that it attaches no other.
import { cut } from "../model/cut.ts";
import type { SessionOptions } from "../model/options.ts";
import { exists, realPath } from "../platform/files.ts";
import { absolutePath, isWithin } from "../platform/paths.ts";
import { type Mention, mentionsIn } from "./mention-scan.ts";
import { hasRead, type ReadOptions } from "./read-tool.ts";

export type MentionOptions = ReadOptions &
  Pick<SessionOptions, "fileMentions" | "slashCommands" | "mcpConfig">;

type TextBlock = { type: "text"; text: string };

/** Most different mentions that are looked at in one prompt, and most in all. What comes behind them is text. */
const mostNames = 1_000;
const mostMentions = 100_000;

/**
 * The content of a prompt's message. Claude Code (2.1.197 and 2.1.332) expands mentions in the last text block only, and
 * drops a blank one. So the prompt goes unchanged as the first block, and the mentions that are allowed stand alone in
 * the last one. A slash command is only taken from a message of one text: in that text, other mentions are broken.
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

/** Most names of mentions that one remark repeats, and most characters of each. */
const mostTold = 10;
const longestTold = 120;

/**
 * The mentions in a prompt that name something which exists, and that were not attached: as written, each once. Behind
 * the first ten, how many more there are.
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

/** Since 2.1.299, this variable keeps Claude Code from expanding any mention: in what a subagent is asked as well. */
export const mentionsOff = "CLAUDE_CODE_DISABLE_FILE_MENTIONS";

/** What a session's environment gets so that nothing but the task itself can attach files. */
export function mentionEnvironment(
  text: string,
  options: MentionOptions,
  workingDirectory: string,
): Record<string, string> {
  // A command's own file may mention others; who allows slash commands allows that.
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
  /** Claude Code may attach it, or knows it as an agent: `attached` stands for it in the last block. */
  | { kind: "file" | "agent"; attached: string }
  /** It exists, and must not be attached. */
  | { kind: "refused"; attached?: undefined }
  /** There is nothing of that name. Whether that name lies where files may be attached is `isInside`. */
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

/** Looks at each name once, and at no more than `mostNames`: further ones are not attached. */
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
    // Claude Code reads a file of an agent's name as well, so that it counts as one.
    const real = realPath(absolute);
    const isInside = roots.some((root) => isWithin(real, root));
    if (!isInside || !mayRead || !canBeQuoted(real)) return { kind: "refused" };
    const lines = fragment.join("#");
    return { kind: "file", attached: `@"${real}${/^L?\d+(?:-\d+)?$/.test(lines) ? `#${lines}` : ""}"` };
  };
}

// Quoted in the last block, a path must neither end its quotes, nor hold what reads as another mention; and behind the
// first `#` Claude Code reads lines, so that it would take another file.
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
