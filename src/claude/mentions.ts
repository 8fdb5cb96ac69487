// `@path` in a task. Claude Code attaches such a file past all permissions, also one outside the working directory; here
// is decided which ones it may attach, and what is sent so that it attaches no other.
import { type SessionOptions, toolRuleList } from "../model/options.ts";
import { kindAt, realPath } from "../platform/files.ts";
import { absolutePath, isWithin } from "../platform/paths.ts";
import { type Mention, mentionsIn } from "./mention-scan.ts";
import { toolOfRule } from "./settings.ts";

export type MentionOptions = Pick<
  SessionOptions,
  "fileMentions" | "slashCommands" | "tools" | "disallowedTools" | "addDirectories" | "mcpConfig"
>;

type TextBlock = { type: "text"; text: string };

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
  const judge = judgeOf(options, workingDirectory);
  if (isSlashCommand(text, options)) return withoutOthers(text, judge);
  const allowed = mentionsIn(text)
    .map(judge)
    .flatMap(({ attached }) => attached ?? []);
  return [block(text), block([...new Set(allowed)].join("\n") || " ")];
}

/** The mentions in a prompt that name something which exists, and that were not attached: as written, each once. */
export function neutralisedMentions(
  text: string,
  options: MentionOptions,
  workingDirectory: string,
): string[] {
  const judge = judgeOf(options, workingDirectory);
  const refused = mentionsIn(text).filter((mention) => judge(mention).kind === "refused");
  return [...new Set(refused.map(({ written }) => written))];
}

/** Since 2.1.299, this variable keeps Claude Code from expanding any mention: in what a subagent is asked as well. */
const disabling = "CLAUDE_CODE_DISABLE_FILE_MENTIONS";

/** What a session's environment gets so that nothing but the task itself can attach files. */
export function mentionEnvironment(
  text: string,
  options: MentionOptions,
  workingDirectory: string,
): Record<string, string> {
  const judge = judgeOf(options, workingDirectory);
  const needed =
    options.fileMentions &&
    // A command's own file may mention others; who allows slash commands allows that.
    (isSlashCommand(text, options) || mentionsIn(text).some((mention) => judge(mention).kind === "file"));
  return needed ? {} : { [disabling]: "1" };
}

type Judgement =
  /** Claude Code may attach it, or knows it as an agent: `attached` stands for it in the last block. */
  | { kind: "file" | "agent"; attached: string }
  /** It exists, and must not be attached. */
  | { kind: "refused"; attached?: undefined }
  /** There is nothing of that name. Whether that name lies where files may be attached is `isInside`. */
  | { kind: "nothing"; isInside: boolean; attached?: undefined };

function judgeOf(options: MentionOptions, workingDirectory: string): (mention: Mention) => Judgement {
  const roots = [workingDirectory, ...(options.addDirectories ?? [])].map(realPath);
  const mayRead = options.fileMentions && hasRead(options);
  return ({ name, isAgent, written }) => {
    if (isAgent) return options.fileMentions ? { kind: "agent", attached: written } : { kind: "refused" };
    // `@server:uri` reads a resource of an MCP server.
    if (options.mcpConfig !== undefined && /^[^/~.]+:./.test(name)) return { kind: "refused" };
    const [path = "", ...fragment] = name.split("#");
    const real = realPath(absolutePath(path, workingDirectory));
    const isInside = roots.some((root) => isWithin(real, root));
    if (!isThere(real)) return { kind: "nothing", isInside: isInside && mayRead };
    // Quoted in the last block, a path must neither end its quotes nor hold what reads as another mention.
    if (!isInside || !mayRead || mentionsIn(`"${real}`).length > 0 || real.includes('"')) {
      return { kind: "refused" };
    }
    const lines = fragment.join("#");
    return { kind: "file", attached: `@"${real}${/^L?\d+(?:-\d+)?$/.test(lines) ? `#${lines}` : ""}"` };
  };
}

// What cannot even be looked at (a name too long, a directory without rights) cannot be read either.
function isThere(path: string): boolean {
  try {
    return kindAt(path) !== "nothing";
  } catch {
    return false;
  }
}

function hasRead({ tools, disallowedTools }: MentionOptions): boolean {
  const listed = tools === undefined ? ["default"] : toolRuleList(tools).map(toolOfRule);
  const exists = listed.some((tool) => tool === "Read" || tool === "default");
  // A rule for some paths, `Read(./secrets/**)`, is one that Claude Code obeys with mentions too.
  return exists && !toolRuleList(disallowedTools ?? "").includes("Read");
}

function isSlashCommand(text: string, { slashCommands }: MentionOptions): boolean {
  return slashCommands && text.startsWith("/");
}

// A zero-width space before the `@` keeps Claude Code from expanding it.
function withoutOthers(text: string, judge: (mention: Mention) => Judgement): string {
  return mentionsIn(text).reduceRight((rest, mention) => {
    const judgement = judge(mention);
    const stays = judgement.kind === "nothing" ? judgement.isInside : judgement.kind !== "refused";
    return stays ? rest : `${rest.slice(0, mention.index)}\u200b${rest.slice(mention.index)}`;
  }, text);
}

function block(text: string): TextBlock {
  return { type: "text", text };
}
