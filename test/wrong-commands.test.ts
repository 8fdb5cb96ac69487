// Wrong commands, as people type them, and what each is answered, word for word. None starts anything.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { typed } from "./cli-harness.ts";
import { Home } from "./harness.ts";

/** As it is typed, where `P` is the program; and the answer, without the line on where to find help. */
const table: [line: string, answer: string][] = [
  [
    "P Review the code",
    'There is no command Review. To run a session on a task, write `parallel-claude-code-mcp run "TASK"`.',
  ],
  [
    'P "Review src/main.ts"',
    "There is no command Review src/main.ts. To run a session on it, write `parallel-claude-code-mcp run 'Review src/main.ts'`.",
  ],
  [
    'P -p "Review it"',
    'There is no option -p. Write `parallel-claude-code-mcp run "TASK"`, and options behind it.',
  ],
  [
    'P --model opus run "Review it"',
    "There is no option --model. Options go behind the command: `parallel-claude-code-mcp run --model`.",
  ],
  [
    "P tasks.md",
    "There is no command tasks.md. To run the tasks in that file, write `parallel-claude-code-mcp run -f tasks.md`.",
  ],
  ['P rnu "x"', "There is no command rnu. Did you mean `run`?"],
  ["P ls", "There is no command ls. Did you mean `list`?"],
  ["P ps", "There is no command ps. Did you mean `list`?"],
  ["P rm latest", "There is no command rm."],
  ["P cost", "There is no command cost. Did you mean `spend`?"],
  ["P status", "There is no command status. Did you mean `show`?"],
  ["P stop latest", "There is no command stop. Did you mean `cancel`?"],
  ["P resume latest", "There is no command resume. Did you mean `retry`?"],
  ["P tail latest 1", "There is no command tail. Did you mean `logs`?"],
  ["P login", "There is no command login."],
  ["P help nope", "There is no command nope."],
  ["P help rnu", "There is no command rnu. Did you mean `run`?"],
  [
    "P --json list",
    "There is no option --json. Options go behind the command: `parallel-claude-code-mcp list --json`.",
  ],
  ["P --http", "--http needs a value: `--http [HOST:]PORT`"],
  [
    "P --http nowhere",
    '--http was given as "nowhere": expected a port from 0 to 65535, or HOST:PORT, as in 8080, localhost:8080 or [::1]:8080; port 0 uses any free port',
  ],
  [
    "P --http 0.0.0.0:80",
    "Other machines can reach 0.0.0.0. Anyone who has the token can run Claude Code on this machine with your rights, and the connection is not encrypted. Nothing was started. Omit the host to listen on 127.0.0.1 only, or allow it with PARALLEL_CLAUDE_ALLOW_REMOTE_HTTP=true or `allowRemoteHttp` in the configuration.",
  ],
  ["P run", "there is no task: write one after `run`, or name a file of tasks with `-f FILE`"],
  ['P run ""', 'task 1 was given as "": must not be empty'],
  [
    "P run -",
    '`-` is no task. To read tasks from standard input, write `-f -`. To give a task what is piped in, write only the task: `… | run "TASK"`',
  ],
  [
    'P run "Explain this" -',
    '`-` is no task. To read tasks from standard input, write `-f -`. To give a task what is piped in, write only the task: `… | run "TASK"`',
  ],
  [
    "P run tasks.md",
    "\"tasks.md\" is a file here, and no task. To run a task on it, name it in the task: `run 'Review tasks.md'`. To read tasks from it, write `-f tasks.md`. If it is the task, write it after `--`",
  ],
  [
    "P run src/*.ts",
    "\"src/a.ts\" is a file here, and no task. To run a task on it, name it in the task: `run 'Review src/a.ts'`. To read tasks from it, write `-f src/a.ts`. If it is the task, write it after `--`",
  ],
  [
    'P run "Review these" src/*.js',
    '"src/*.js" is a pattern that matches no file here, and no task. If it is the task, write it after `--`',
  ],
  [
    "P run src",
    '"src" is a directory here, and no task. To work in it, write `--working-directory src`. If it is the task, write it after `--`',
  ],
  [
    'P run "Fix it" --allowed-tools Read Edit',
    'unexpected "Edit" after the value of --allowed-tools. If it is another value, write `--allowed-tools Read,Edit`. If it is a task, write it before the options, or after `--`',
  ],
  [
    "P run \"Fix it\" --allowedTools Read 'Bash(git log:*)'",
    "unexpected \"Bash(git log:*)\" after the value of --allowedTools. If it is another value, write `--allowedTools 'Read,Bash(git log:*)'`. If it is a task, write it before the options, or after `--`",
  ],
  ['P run -p "Fix it"', "-p is not an option here: sessions are always headless; write the task after `run`"],
  [
    'P run --print "Fix it"',
    "--print is not an option here: sessions are always headless; write the task after `run`",
  ],
  [
    'P run "Fix it" --dangerously-skip-permissions',
    "--dangerously-skip-permissions is not an option here: `--permission-mode bypassPermissions` does that, with the operator's permission (`allowBypassPermissions`). Usually `--permission-mode acceptEdits` and `--allowed-tools` are enough",
  ],
  [
    'P run "Fix it" --permission-mode bypassPermissions',
    '--permission-mode was given as "bypassPermissions", which requires the operator\'s permission (`allowBypassPermissions` in HOME/.config/parallel-claude-code-mcp/config.json); give the tools it needs in `--allowed-tools`, or use "acceptEdits"',
  ],
  [
    'P run "Fix it" --output-format json',
    "--output-format is not an option here: `--json` prints the whole answer as JSON",
  ],
  [
    'P run "Fix it" -o answer.md',
    "-o is not an option here: `--output-directory DIR` is where result files go. To keep the answer in a file, redirect standard output: `> FILE`",
  ],
  [
    'P run "Fix it" --verbose',
    "--verbose is not an option here: `parallel-claude-code-mcp logs latest 1 -f` shows what a session does",
  ],
  [
    'P run "Fix it" --continue',
    "--continue is not an option here: `--resume-session-id ID` continues a conversation. The page of its task and `results latest --json` name the id",
  ],
  [
    'P run "Fix it" -w feature',
    "-w is not an option here: create the worktree with `git worktree add`, and name it in `--working-directory`",
  ],
  [
    'P run "Fix it" --append-system-prompt-file rules.md',
    '--append-system-prompt-file is not an option here: write `--append-system-prompt "$(cat FILE)"`',
  ],
  [
    'P run "Fix it" --betas context-1m',
    "--betas is not an option here: `--claude-arguments=--betas` passes it to `claude`, with the operator's permission (`allowClaudeArguments`)",
  ],
  [
    'P run "Fix it" --budget 5',
    "--budget is not an option here: `--max-budget-usd` limits each session, and `--batch-budget-usd` the batch",
  ],
  ['P run "Fix it" --modle opus', "--modle is not known; did you mean `--model`?"],
  ['P run "Fix it" --model', "--model needs a value: `--model MODEL`"],
  [
    'P run "Fix it" --model --json',
    "--model needs a value: `--model MODEL`. Write `--model=--json` if --json is meant",
  ],
  ['P run "Fix it" --max-turns many', '--max-turns was given as "many": expected a number'],
  ['P run "Fix it" --max-turns 0', "--max-turns was given as 0: expected at least 1"],
  ['P run "Fix it" -j 0', "--concurrency was given as 0: expected at least 1"],
  ['P run "Fix it" -j lots', '--concurrency was given as "lots": expected a whole number or "auto"'],
  ['P run "Fix it" --timeout 10m', '--timeout was given as "10m": expected a number of seconds'],
  [
    'P run "Fix it" --json-schema \'{"type": "object"\'',
    '--json-schema was given as "{\\"type\\": \\"object\\"": expected a JSON object (this text is not valid JSON: Expected \'}\')',
  ],
  ['P run "Fix it" --output-schema schema.json', "--output-schema HOME/work/schema.json is not a file"],
  ['P run "Fix it" --cwd nowhere', "--working-directory HOME/work/nowhere does not exist"],
  [
    'P run "Fix it" --cwd /usr',
    "--working-directory /usr is outside the allowed roots (HOME, /tmp); the operator can add to `allowedRoots` in HOME/.config/parallel-claude-code-mcp/config.json, or set PARALLEL_CLAUDE_ALLOWED_ROOTS",
  ],
  [
    'P run "Fix it" --mcp-config \'{"command": "x"}\'',
    '--mcp-config has no `mcpServers`: expected `{"mcpServers": {"name": {"command": "…"}}}`, as in a project\'s .mcp.json',
  ],
  ['P run "Fix it" --resume', "--resume needs a value: `--resume-session-id ID`"],
  [
    'P run "Fix it" --fork-session',
    "--fork-session requires `--resume-session-id`, the conversation to copy",
  ],
  ['P run "Fix it" --no-model', "--no-model is not known: only switches can be turned off"],
  ['P run "Fix it" --json=yes', '--json takes no value, and was given "yes"; `--no-json` turns it off'],
  ["P run -f", "-f needs a value: `--file FILE`"],
  ["P run -f nowhere.txt", "the file nowhere.txt cannot be read: it does not exist"],
  ["P run -f src", "the file src cannot be read: it is a directory"],
  [
    "P run -f src/a.ts",
    'the file src/a.ts: a .ts file is no list of tasks. Accepted are text, Markdown, JSON, JSONL, YAML, CSV and TSV. To run a task on the file, name it in the task: `run "Review src/a.ts"`',
  ],
  [
    "P run -f tasks.md more.md",
    'unexpected "more.md" after the value of -f. If it is another value, repeat the option: `-f more.md`. If it is a task, write it before the options, or after `--`',
  ],
  [
    'echo "- task: a" | P run',
    'there is no task. If standard input has tasks, one per line, write `run -f -`. If it is text for a task, write `run "TASK"`',
  ],
  [
    "printf 'task,modle\\na,opus\\n' | P run -f -",
    "standard input, line 1: the column `modle` is not known; did you mean `model`?",
  ],
  [
    'printf \'{"task": "a", "modle": "opus"}\\n\' | P run -f -',
    "standard input, line 1: modle is not known; did you mean `model`?",
  ],
  [
    'printf \'[{"task": "a"}, {"prompts": "b"}]\' | P run -f -',
    "2 problems:\n- standard input, line 1: task is missing: expected text\n- standard input, line 1: prompts is not known",
  ],
  ["P show", "There is no batch yet."],
  ["P show nightly", "There is no batch nightly. `parallel-claude-code-mcp list` shows all batches."],
  ["P show abc def", 'unexpected argument "def"'],
  ["P results latest one", "There is no batch yet."],
  ["P logs latest", "N is missing: Number or key of the task."],
  ["P cancel", "BATCH is missing: Batch id, its first characters or its name. `latest` is the newest batch."],
  ['P retry latest --append-prompt " "', '--append-prompt was given as " ": must not be empty'],
  ["P compare", "BATCH is missing: The earlier batch."],
  ["P compare latest latest", "There is no batch yet."],
  [
    "P compare latest nope --only better",
    '--only was given as "better": expected one of different, outcome, changed, new, gone, unfinished, same, failed, all',
  ],
  ["P compare latest --page", "--page needs a value: `--page FILE`"],
  ["P diff latest", "There is no command diff. Did you mean `compare`?"],
  ["P run a b --sample 0", "--sample was given as 0: expected at least 1"],
  ["P run a b --sample -2", "--sample was given as -2: expected at least 1"],
  ["P run a b --sample few", '--sample was given as "few": expected a number'],
  ["P run a b --sample", "--sample needs a value: `--sample N`"],
  ["P change", "BATCH is missing: Batch id, its first characters or its name. `latest` is the newest batch."],
  ["P change latest", "There is no batch yet."],
  [
    "P continue",
    "BATCH is missing: Batch id, its first characters or its name. `latest` is the newest batch.",
  ],
  ["P continue latest", "There is no batch yet."],
  ["P continue latest 3", 'unexpected argument "3"'],
  ["P continue latest --concurrency 0", "--concurrency was given as 0: expected at least 1"],
  ["P unpause latest", "There is no command unpause. Did you mean `continue`?"],
  ["P retry latest --sample 3", "--sample is not known"],
  ["P retry latest --only broken", '--only was given as "broken": expected one of failed, interrupted'],
  ["P list --limit all", '--limit was given as "all": expected a number'],
  ["P prune --older-than week", '--older-than was given as "week": expected a number of days'],
  ["P open latest --prnt", "--prnt is not known; did you mean `--print`?"],
  [
    "P install --client vim",
    '--client was given as "vim": expected one of claude-desktop, claude-code, cursor, vscode, codex, windsurf, zed, gemini, opencode, cline',
  ],
  ["P install cursor", 'unexpected argument "cursor"; did you mean `--client cursor`?'],
  ["P completions tcsh", 'shell was given as "tcsh": expected one of bash, zsh, fish, powershell'],
  ["P completions", "SHELL is missing: One of bash, zsh, fish, powershell."],
  ["P doctor latest", 'unexpected argument "latest"'],
  [
    "printf 'model,effort\\nopus,high\\n' | P run -f -",
    "standard input, line 1: the first row needs a column `task`",
  ],
  ["P serve --prot 80", "--prot is not known"],
  [
    "P serve --port many",
    '--http was given as "many": expected a port from 0 to 65535, or HOST:PORT, as in 8080, localhost:8080 or [::1]:8080; port 0 uses any free port',
  ],
  [
    'P run "Fix it" --json-schema schema.json --env TOKEN=1',
    "2 problems:\n- --env was given as a text that is no file: expected a JSON file, or a JSON object of strings\n- --output-schema HOME/work/schema.json is not a file",
  ],
  [
    "P run \"Fix it\" --max-budget-usd '$5'",
    '--max-budget-usd was given as "$5": expected a number of US dollars, without a sign',
  ],
  [
    'P run "Fix it" --expect-pattern "("',
    '--expect-pattern was given as "(": expected a regular expression (missing ))',
  ],
  ['P run "Fix it" --expect-schema nothing.json', "--expect-schema HOME/work/nothing.json is not a file"],
  [
    'P run "Fix it" --expect-model opus',
    'expect was given as {"model":"opus"}: expected at least one of pattern, schema, command, question',
  ],
  [
    'P run "Fix it" --expect "^OK"',
    "--expect is no option of its own: write `--expect-pattern`, `--expect-schema`, `--expect-command`, `--expect-question`, `--expect-model`, `--expect-timeout-seconds`",
  ],
  [
    'P run "Fix it" --expect-command "wc {{file}}"',
    "2 problems:\n- --expect-command requires the operator's permission (`allowCheckCommands` in HOME/.config/parallel-claude-code-mcp/config.json)\n- --expect-command names {{file}}, for which the task has no value; it has none, because it was not made from a template",
  ],
  [
    'P run "Fix it" --fail-when 101%',
    '--fail-when was given as "101%": expected a number of tasks, or a percentage of them up to 100%',
  ],
  ['P run "Fix it" --stop-when-found none', '--stop-when-found was given as "none": expected a number'],
  [
    'P run "Fix it" --effort ultra',
    '--effort was given as "ultra": expected one of low, medium, high, xhigh, max',
  ],
  ['P run "Fix it" --reuse yes', '--reuse was given as "yes": expected one of auto, never'],
  [
    'P run "Fix it" --reuse auto --inputs nope.json --inputs "{{file}}"',
    "2 problems:\n- --inputs[0] names nope.json, and nothing of that name is in HOME/work\n- --inputs[1] has the placeholder {{file}}, but only tasks made from a template have placeholders",
  ],
  ["P run -f /dev/null", "the file /dev/null: it has no task"],
  ["P summarize latest", "TEXT is missing: What to write about the results."],
  ["P summarize latest ''", 'summarize was given as "": must not be empty'],
  ["P summarize latest Sum it up", 'unexpected arguments "it", "up"'],
  ["P summary latest", "There is no command summary. Did you mean `summarize`?"],
  ['P run "Fix it" --summarize-groups 5', "--summarize-groups has no effect without `--summarize`"],
  ["P retry latest --summarize x", "--summarize is not known"],
  ["P wait", "There is no batch yet."],
  ["P logs latest one", "There is no batch yet."],
  ['P run "Fix it" --no-timeout', "--no-timeout is not known: only switches can be turned off"],
  ["P uninstall --clinet cursor", "--clinet is not known; did you mean `--client`?"],
];

let home: Home;
beforeAll(() => {
  home = new Home();
  mkdirSync(join(home.work, "src"));
  writeFileSync(join(home.work, "src", "a.ts"), "");
  writeFileSync(join(home.work, "tasks.md"), "- [ ] one\n");
});
afterAll(() => home[Symbol.asyncDispose]());

test("there are at least sixty", () => expect(table.length).toBeGreaterThanOrEqual(60));

describe("is answered in words that help, with exit status 2", () => {
  for (const [line, answer] of table) {
    test(line, async () => {
      const { code, out, err } = await typed(home, line);
      expect({ code, out }).toEqual({ code: 2, out: "" });
      const said = err.trimEnd().replaceAll(home.path, "HOME");
      expect(said.replace(whereHelpIs, "")).toBe(answer);
      expect(existsSync(home.startsLog)).toBe(false);
    });
  }
});

/** The last line of most answers. */
const whereHelpIs =
  /\n(?:Nothing was done\. `parallel-claude-code-mcp help [\w-]+` shows its options\.|Commands are run, .*)$/;
