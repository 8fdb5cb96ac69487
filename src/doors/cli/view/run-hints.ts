// What `run` says about options known from `claude` and similar tools that mean something else.
import { isOurs, mayBeAdded } from "../../../claude/trusted-arguments.ts";
import { product } from "../../../model/product.ts";
import { textOfFileHint } from "../../../model/shell-quoted.ts";

const headless = "sessions are always headless; write the task after `run`";
const bypass =
  "`--permission-mode bypassPermissions` does that, with the operator's permission (`allowBypassPermissions`). Usually `--permission-mode acceptEdits` and `--allowed-tools` are enough";
const output =
  "`--output-directory DIR` is where result files go. To keep the answer in a file, redirect standard output: `> FILE`";
const format = "`--json` prints the whole answer as JSON";
const watching = `\`${product.name} logs latest 1 -f\` shows what a session does`;
const file = "`-f FILE` reads tasks from a file";
const budget = "`--max-budget-usd` limits each session, and `--batch-budget-usd` the batch";

const notPassedOn = "this program does not pass it on to `claude`";

const said: Record<string, string> = {
  p: headless,
  print: headless,
  prompt: "write the task after `run`, without an option",
  task: "write the task after `run`, without an option",
  tasks: file,
  input: file,
  i: file,
  "dangerously-skip-permissions": bypass,
  "allow-dangerously-skip-permissions": bypass,
  yolo: bypass,
  o: output,
  out: output,
  output: output,
  "output-file": output,
  "output-format": format,
  format,
  verbose: watching,
  d: `\`--detach\` runs the batch in the background, and ${watching}`,
  debug: watching,
  "debug-file": watching,
  c: "`--resume-session-id ID` continues a conversation. The page of its task and `results latest --json` name the id",
  continue:
    "`--resume-session-id ID` continues a conversation. The page of its task and `results latest --json` name the id",
  "session-id": "each session gets an id of its own, and the answer names it",
  "strict-mcp-config": "it is always on: sessions load only the servers of `--mcp-config`",
  "disable-slash-commands":
    "it is the default: a task that begins with `/word` is text, unless you add `--slash-commands`",
  "no-session-persistence": "conversations are always kept, so that a retry can continue them",
  "system-prompt-file": textOfFileHint({ option: "--system-prompt", setting: "systemPrompt" }),
  "append-system-prompt-file": textOfFileHint({
    option: "--append-system-prompt",
    setting: "appendSystemPrompt",
  }),
  w: "create the worktree with `git worktree add`, and name it in `--working-directory`",
  worktree: "create the worktree with `git worktree add`, and name it in `--working-directory`",
  init: notPassedOn,
  "plan-mode-instructions": notPassedOn,
  "permission-prompts": notPassedOn,
  "remote-control-session-name-prefix": notPassedOn,
  budget,
  "max-cost": budget,
  e: "`--env FILE` reads variables from a JSON file",
  y: "`run` asks no questions",
  yes: "`run` asks no questions",
  color: "set `NO_COLOR=1` for output without colors",
  "no-color": "set `NO_COLOR=1` for output without colors",
};

/** What to say about an option, by its name without dashes; undefined for an unknown one. */
export function runHint(name: string): string | undefined {
  if (Object.hasOwn(said, name)) return said[name];
  if (mayBeAdded(name))
    return `\`--claude-arguments=--${name}\` passes it to \`claude\`, with the operator's permission (\`allowClaudeArguments\`)`;
  return isOurs(name) ? "this program sets it itself, or depends on it to read the session" : undefined;
}
