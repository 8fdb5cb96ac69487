// Each advice on denied tools, followed: denied → the options that the advice names → allowed, with the real `claude`.
import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { argumentsFor } from "../../src/claude/arguments.ts";
import { applyLine, newReading } from "../../src/claude/reading.ts";
import { usageOf } from "../../src/claude/usage.ts";
import { advisedOptions } from "../../src/model/advised-options.ts";
import { type SessionOptions, type SessionOptionsInput, sessionOptions } from "../../src/model/options.ts";
import type { BroadReason, Denial, Mismatch, Obstacle } from "../../src/model/outcome.ts";
import { startMessagesApi } from "./messages-api.ts";
import { followed, type PrintedAdvice, printedForShell, printedForTools } from "./printed-advice.ts";
import {
  isResult,
  type Line,
  type RealHome,
  realHome,
  resultOf,
  runReal,
  streamingArguments,
} from "./session.ts";
import { claude, describeReal } from "./version.ts";

setDefaultTimeout(120_000);

/** In prompts, options and settings, `HOME` is the throwaway home, `HERE` the working directory in it. */
interface Case {
  /** What the model is made to do: a command for Bash, or the input of another tool. */
  readonly call: string | { readonly tool: string; readonly input: object };
  readonly given?: SessionOptionsInput;
  readonly settings?: object;
  /** What the advice names. */
  readonly advice: Partial<ReturnType<typeof advisedOptions>>;
  readonly unmatched?: Mismatch;
  /** Files in the home that are there before, with their texts. */
  readonly files?: Readonly<Record<string, string>>;
  /** A file in the home that the call makes. */
  readonly makes?: string;
  /** What the tool says when it runs; anything that is no denial unless given. */
  readonly says?: RegExp;
}

const bash = (...rules: string[]) => ({ allowedTools: rules });
const exact = (command: string) => ({ allowedTools: [`Bash(${command})`], broad: ["exact" as const] });
const wide = (broad: BroadReason) => ({ allowedTools: ["Bash"], broad: [broad] });
const write = (file_path: string) => ({ tool: "Write", input: { file_path, content: "x" } });
const pingServer = `require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line);
  const result = method === "initialize"
    ? { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "s", version: "1" } }
    : method === "tools/list" ? { tools: [{ name: "ping", description: "d", inputSchema: { type: "object" } }] }
    : { content: [{ type: "text", text: "pong" }] };
  if (id !== undefined) console.log(JSON.stringify({ jsonrpc: "2.0", id, result }));
});`;
const mcpConfig = { mcpServers: { s: { command: process.execPath, args: ["-e", pingServer] } } };

const allowed: Record<string, Case> = {
  "one command": { call: "mkdir a", advice: bash("Bash(mkdir:*)"), makes: "here/a" },
  "commands behind one another": {
    call: "mkdir a && touch a/b; chmod 600 a/b",
    advice: bash("Bash(mkdir:*)", "Bash(touch:*)", "Bash(chmod:*)"),
    makes: "here/a/b",
  },
  "a pipe": {
    call: "printf 1 | tee made | uniq",
    advice: bash("Bash(tee:*)", "Bash(uniq:*)"),
    makes: "here/made",
  },
  "commands on several lines": {
    call: "# two\nmkdir a\nmkdir b",
    advice: bash("Bash(mkdir:*)"),
    makes: "here/b",
  },
  "a part of a command that was allowed in part": {
    call: "mkdir a && touch a/b",
    given: { allowedTools: "Bash(mkdir:*)" },
    advice: bash("Bash(touch:*)"),
    makes: "here/a/b",
  },
  "a command of a tool with many": {
    call: "git init -q && git -c user.name=n -c user.email=e commit --allow-empty -qm 'a, b'",
    advice: bash("Bash(git init:*)", "Bash(git -c user.name=n -c user.email=e commit:*)"),
    makes: "here/.git/HEAD",
  },
  "a message in a here-document": {
    call: `touch "$(cat <<'EOF'\nmade\nEOF\n)"`,
    advice: bash("Bash(touch:*)"),
    makes: "here/made",
  },
  "a script of npm": {
    call: "npm run -s make:it -- x",
    files: { "here/package.json": '{"scripts":{"make:it":"touch made"}}' },
    advice: bash("Bash(npm run -s make:it:*)"),
    makes: "here/made",
  },
  "a module of Python": { call: "python3 -m this", advice: bash("Bash(python3 -m this:*)") },
  "a variable before a command": {
    call: "FOO='a b' mkdir a",
    advice: bash("Bash(FOO='a b' mkdir:*)"),
    makes: "here/a",
  },
  "a command behind `timeout`": { call: "timeout 5 mkdir a", advice: bash("Bash(mkdir:*)"), makes: "here/a" },
  "a command behind `xargs`": {
    call: "echo made | xargs -n1 touch",
    advice: { allowedTools: ["Bash(xargs -n1 touch:*)"], broad: ["any-path"] },
    makes: "here/made",
  },
  "a command behind `env`": {
    call: "env A=1 touch made",
    advice: bash("Bash(env A=1 touch:*)"),
    makes: "here/made",
  },
  "a condition": {
    call: "if [ ! -f made ]; then touch made; fi",
    advice: bash("Bash(touch:*)"),
    makes: "here/made",
  },
  "a command in a directory below": {
    call: "cd sub && ln -s x made",
    files: { "here/sub/x": "" },
    advice: { allowedTools: ["Bash(ln:*)"], broad: ["any-path"] },
    makes: "here/sub/made",
  },
  "a change to the directory where it is": {
    call: "cd HERE && touch made",
    advice: bash("Bash(touch:*)"),
    makes: "here/made",
  },
  "a redirection into a file": {
    call: "echo hi > made 2>&1",
    advice: { permissionMode: "acceptEdits" },
    makes: "here/made",
  },
  "a redirection of a command that needs a rule": {
    call: "mkdir a && uniq other > a/made",
    files: { "here/other": "1" },
    advice: { allowedTools: ["Bash(mkdir:*)", "Bash(uniq:*)"], permissionMode: "acceptEdits" },
    makes: "here/a/made",
  },
  "a here-document into a file": {
    call: "cat > made <<'EOF'\n$(hello)\nEOF",
    advice: { permissionMode: "acceptEdits" },
    makes: "here/made",
  },
  "a redirection to another directory": {
    call: "echo hi > HOME/other/made",
    advice: bash("Edit(/HOME/other/made)"),
    makes: "other/made",
  },
  "a command that writes in another directory": {
    call: "touch HOME/other/made",
    advice: bash("Bash(touch:*)", "Edit(/HOME/other/made)"),
    makes: "other/made",
  },
  "a command that makes another directory": {
    call: "mkdir -p HOME/new/made",
    advice: bash("Bash(mkdir:*)", "Edit(/HOME/new/made)"),
    makes: "new/made",
  },
  "a command that reads in another directory": {
    call: "cat HOME/other/there",
    advice: bash("Read(/HOME/other/there)"),
    says: /OTHER/,
  },
  "a look into another directory": {
    call: "cd HOME/other && ls",
    advice: bash("Read(/HOME/other/**)"),
    says: /there/,
  },
  "a copy from another directory": {
    call: "cp ../other/there made",
    advice: bash("Bash(cp:*)", "Edit(/HOME/other/there)"),
    makes: "here/made",
  },
  "a write": { call: write("HERE/made"), advice: { permissionMode: "acceptEdits" }, makes: "here/made" },
  "a write to another directory": {
    call: write("HOME/other/made"),
    given: { permissionMode: "acceptEdits" },
    advice: bash("Edit(/HOME/other/made)"),
    makes: "other/made",
  },
  "a write to a directory that is not there": {
    call: write("HOME/new/made"),
    advice: bash("Edit(/HOME/new/made)"),
    makes: "new/made",
  },
  "a read in another directory": {
    call: { tool: "Read", input: { file_path: "HOME/other/there" } },
    advice: bash("Read(/HOME/other/there)"),
    says: /OTHER/,
  },
  "a search in another directory": {
    call: { tool: "Grep", input: { pattern: "OTH", path: "HOME/other" } },
    given: { tools: "Grep,Read" },
    advice: bash("Read(/HOME/other/**)"),
    says: /other\/there/,
  },
  "a tool of an MCP server": {
    call: { tool: "mcp__s__ping", input: {} },
    given: { mcpConfig },
    advice: bash("mcp__s__ping"),
    says: /pong/,
  },
  "a page": {
    call: { tool: "WebFetch", input: { url: "http://127.0.0.1:9/a?b", prompt: "p" } },
    advice: bash("WebFetch(domain:127.0.0.1)"),
  },
  "a search of the web": {
    call: { tool: "WebSearch", input: { query: "anything" } },
    advice: bash("WebSearch"),
  },
  "a write in plan mode": {
    call: write("HERE/made"),
    given: { permissionMode: "plan", allowedTools: "Write" },
    advice: { permissionMode: "acceptEdits" },
    makes: "here/made",
  },
  "a write in the user's own plan mode": {
    call: write("HERE/made"),
    settings: { permissions: { defaultMode: "plan" } },
    advice: { permissionMode: "acceptEdits" },
    makes: "here/made",
  },
  "a command where the user's settings ask for `dontAsk`": {
    call: "mkdir a",
    settings: { permissions: { defaultMode: "dontAsk" } },
    advice: bash("Bash(mkdir:*)"),
    makes: "here/a",
  },
  "a rule in the wrong case": {
    call: "mkdir a",
    given: { allowedTools: "bash(mkdir:*)" },
    advice: bash("Bash(mkdir:*)"),
    unmatched: "case",
    makes: "here/a",
  },
  "a rule for one exact command": {
    call: "mkdir a",
    given: { allowedTools: "Bash(mkdir)" },
    advice: bash("Bash(mkdir:*)"),
    unmatched: "exact",
    makes: "here/a",
  },
  "a rule with parentheses": {
    call: "mkdir 'a(1)'",
    given: { allowedTools: ["Bash(mkdir 'a(2)')"] },
    advice: bash("Bash(mkdir:*)"),
    unmatched: "parentheses",
    makes: "here/a(1)",
  },
  "a rule with a list": {
    call: "mkdir a",
    given: { allowedTools: "Bash(touch:*,mkdir:*)" },
    advice: bash("Bash(mkdir:*)"),
    unmatched: "list",
    makes: "here/a",
  },
  "an asterisk as a rule": {
    call: "mkdir a",
    given: { allowedTools: "*" },
    advice: bash("Bash(mkdir:*)"),
    unmatched: "wildcard",
    makes: "here/a",
  },
  "a rule without the variable": {
    call: "FOO=1 mkdir a",
    given: { allowedTools: "Bash(mkdir:*)" },
    advice: bash("Bash(FOO=1 mkdir:*)"),
    unmatched: "assignment",
    makes: "here/a",
  },
  "a path in a rule for Write": {
    call: write("HERE/made"),
    given: { allowedTools: "Write(made)" },
    advice: { permissionMode: "acceptEdits" },
    unmatched: "path-rule",
    makes: "here/made",
  },
  "a rule that is denied as well": {
    call: "mkdir a",
    given: { allowedTools: "Bash(mkdir:*)", disallowedTools: "Bash(mkdir a *),Bash(mkdir:*)" },
    advice: { notDisallowed: ["Bash(mkdir a *)", "Bash(mkdir:*)"] },
    makes: "here/a",
  },
  "a tool that `tools` leaves out": {
    call: "echo pong",
    given: { tools: "Read" },
    advice: { tools: ["Bash"] },
    says: /pong/,
  },
  "a tool that is denied by name": {
    call: write("HERE/made"),
    given: { disallowedTools: "Write" },
    advice: { permissionMode: "acceptEdits", notDisallowed: ["Write"] },
    makes: "here/made",
  },
  "a change of directory with a write": {
    call: "cd sub && touch made",
    files: { "here/sub/x": "" },
    advice: wide("cd-and-write"),
    makes: "here/sub/made",
  },
  "a change of directory with a redirection": {
    call: "cd sub && echo x > made",
    files: { "here/sub/x": "" },
    given: { permissionMode: "acceptEdits" },
    advice: wide("cd-and-write"),
    makes: "here/sub/made",
  },
  "a change of directory with git": {
    call: "cd sub && git init -q",
    files: { "here/sub/x": "" },
    advice: wide("cd-and-git"),
    makes: "here/sub/.git/HEAD",
  },
  "the output of a command in another": {
    call: "touch $(echo made)",
    advice: wide("expansion"),
    makes: "here/made",
  },
  "a variable that is set before": {
    call: "NAME=made; touch $NAME",
    advice: wide("expansion"),
    makes: "here/made",
  },
  "a loop": { call: "for f in made; do touch $f; done", advice: wide("expansion"), makes: "here/made" },
  "a subshell": { call: "(touch made)", advice: wide("group"), makes: "here/made" },
  "a group": { call: "{ touch made; }", advice: wide("group"), makes: "here/made" },
  "a command in the background": {
    call: "touch made & wait",
    advice: wide("background"),
    makes: "here/made",
  },
  "code for the shell": { call: "eval 'touch made'", advice: wide("evaluates"), makes: "here/made" },
  "a search that runs commands": {
    call: "find . -name there -exec cp {} made \\;",
    files: { "here/there": "" },
    advice: wide("find"),
    makes: "here/made",
  },
  "code for an interpreter": {
    call: "bash -c 'touch made'",
    advice: exact("bash -c 'touch made'"),
    makes: "here/made",
  },
  "code in double quotes": {
    call: 'env -u A sh -c "touch made"',
    advice: exact('env -u A sh -c "touch made"'),
    makes: "here/made",
  },
  "code that a rule cannot contain": {
    call: `node -e "require('fs').writeFileSync('made', '')"`,
    advice: { allowedTools: ["Bash(node:*)"], broad: ["runs-code"] },
    makes: "here/made",
  },
  "code in a here-document": {
    call: "sh -s <<'EOF'\ntouch made\nEOF",
    advice: { allowedTools: ["Bash(sh -s)"], broad: ["runs-code"] },
    makes: "here/made",
  },
  "code from a pipe": {
    call: "echo 'touch made' | sh",
    advice: { allowedTools: ["Bash(sh)"], broad: ["runs-code"] },
    makes: "here/made",
  },
  "a shell behind `xargs`": {
    call: "echo made | xargs -I{} sh -c 'touch {}'",
    advice: { allowedTools: ["Bash(xargs -I{} sh -c 'touch {}')"], broad: ["runs-code"] },
    makes: "here/made",
  },
  "a script": {
    call: "bash make.sh made",
    files: { "here/make.sh": "touch $1" },
    advice: bash("Bash(bash make.sh:*)"),
    makes: "here/made",
  },
  "what `make` makes": {
    call: "timeout 9 make -s made 2>&1 | tail -5",
    files: { "here/Makefile": "made:\n\ttouch made\n" },
    advice: exact("make -s made"),
    makes: "here/made",
  },
  "a command that writes anywhere": {
    call: "dd if=/dev/null of=made",
    advice: { allowedTools: ["Bash(dd:*)"], broad: ["any-path"] },
    makes: "here/made",
  },
  "files of another directory by a pattern": {
    call: "cat HOME/oth*/there",
    advice: bash("Read(/HOME/**)"),
    says: /OTHER/,
  },
  "the root of the file system": { call: "ls /", advice: wide("unknown"), says: /tmp/ },
  "a directory that no rule can name": {
    call: { tool: "Read", input: { file_path: "HOME/p(1)/there" } },
    files: { "p(1)/there": "ODD" },
    advice: { addDirectories: ["HOME/p(1)"] },
    says: /ODD/,
  },
  "a write to a directory that no rule can name": {
    call: write("HOME/p, (1)/made"),
    files: { "p, (1)/there": "" },
    advice: { addDirectories: ["HOME/p, (1)"], permissionMode: "acceptEdits" },
    makes: "p, (1)/made",
  },
  "a path with blanks and quotes": {
    call: write("HOME/it's here/made"),
    advice: bash("Edit(/HOME/it's here/made)"),
    makes: "it's here/made",
  },
  "a here-document before a redirection": {
    call: "cat <<'EOF' > made\nx\nEOF",
    advice: wide("unknown"),
    makes: "here/made",
  },
  "the directory by `$PWD`": { call: 'mkdir -p "$PWD/made"', advice: wide("expansion"), makes: "here/made" },
  "an asterisk in quotes": { call: "touch 'a*b'", advice: wide("unknown"), makes: "here/a*b" },
  "escapes in a word": { call: "mkdir $'a\\x62'", advice: wide("unknown"), makes: "here/ab" },
  "an alias": { call: "alias x=touch; touch made", advice: wide("evaluates"), makes: "here/made" },
  "a blank that is none": { call: "mkdir 'a\u00a0b'", advice: wide("unknown"), makes: "here/a\u00a0b" },
  "a very long rule": {
    call: `FOO=${"x".repeat(400)} mkdir made`,
    advice: wide("unknown"),
    makes: "here/made",
  },
  "many commands": {
    call: Array.from({ length: 20 }, (_, at) => `'./p${at}' x`)
      .join("; ")
      .concat("; touch made"),
    files: Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`here/p${at}`, ""])),
    advice: bash(...Array.from({ length: 20 }, (_, at) => `Bash('./p${at}':*)`), "Bash(touch:*)"),
    makes: "here/made",
  },
  "a pattern of files to write": {
    call: "cp *.txt made",
    files: { "here/a.txt": "" },
    advice: wide("path"),
    makes: "here/made",
  },
};

const unsolvable: Record<string, Case & { advice: { obstacles: Obstacle[] } }> = {
  "a hook that blocks": {
    call: "mkdir a",
    given: { allowedTools: "Bash" },
    settings: {
      hooks: { PreToolUse: [{ matcher: "Bash", hooks: [{ type: "command", command: "exit 2" }] }] },
    },
    advice: { obstacles: ["hook"] },
  },
  "a rule of the settings that denies": {
    call: "mkdir a",
    given: { allowedTools: "Bash" },
    settings: { permissions: { deny: ["Bash(mkdir:*)"] } },
    advice: { obstacles: ["settings-deny"] },
  },
  "a rule of the settings that asks": {
    call: "mkdir a",
    given: { allowedTools: "Bash" },
    settings: { permissions: { ask: ["Bash(mkdir:*)"] } },
    advice: { obstacles: ["settings-ask"] },
  },
  "a protected file": {
    call: write("HERE/.claude/made"),
    given: { allowedTools: "Bash,Write,Edit", permissionMode: "acceptEdits" },
    advice: { obstacles: ["protected-path"] },
  },
  "a protected directory": {
    call: write("HERE/.claude/commands/made"),
    given: { permissionMode: "acceptEdits" },
    advice: { obstacles: ["protected-path"] },
  },
  "a path that would end a rule": {
    call: write("HOME/a),Bash,Read(/x"),
    advice: { obstacles: ["odd-path"] },
  },
  "a command that destroys": {
    call: "rm -rf ~",
    given: { allowedTools: "Bash" },
    advice: { obstacles: ["dangerous"] },
  },
};

/** `.ci/run` has no time for all of them: with `REAL_ADVICE=some`, it takes a third of those that an option lets through. */
const isSome = process.env["REAL_ADVICE"] === "some";
const followable = Object.entries(allowed).filter((_, at) => !isSome || at % 3 === 0);

const nothing = {
  allowedTools: [],
  addDirectories: [],
  tools: [],
  notDisallowed: [],
  broad: [],
  obstacles: [],
};

describeReal("advice on denied tools", () => {
  beforeAll(() => expect(Object.keys({ ...allowed, ...unsolvable }).length).toBeGreaterThan(60));

  describe.concurrent("what it names lets the call through:", () => {
    test.each(followable)("%s", async (_, example) => {
      await using home = await homeFor(example);
      const denials = await denialsBefore(home, example);
      if (example.makes !== undefined) expect(await isThere(home, example.makes)).toBe(false);
      expect(advisedOptions(denials)).toEqual({ ...nothing, ...inHome(home, example.advice) });
      expect(denials[0]?.unmatched?.why).toBe(example.unmatched);
      const own = sessionOptions.parse(inHome(home, example.given ?? {}));
      const printed = printedForTools(denials, own);
      expect(printed.changes).not.toEqual({});
      expect(printedForShell(denials, own).changes).toEqual(printed.changes);

      const after = await attempt(home, example, printed);
      expect(after.denials).toEqual([]);
      if (example.makes !== undefined) expect(await isThere(home, example.makes)).toBe(true);
      if (example.says) expect(after.said).toMatch(example.says);
    });
  });

  describe.concurrent("it says that no option lets the call through:", () => {
    test.each(Object.entries(unsolvable))("%s", async (_, example) => {
      await using home = await homeFor(example);
      const { denials } = await attempt(home, example);
      expect(advisedOptions(denials)).toEqual({ ...nothing, ...example.advice });
      const own = sessionOptions.parse(inHome(home, example.given ?? {}));
      expect(printedForTools(denials, own).changes).toEqual({});
    });
  });
});

// A start of `claude` takes most of a session's time. So cases that give and set nothing share sessions, a turn each, as
// long as their calls are denied.
const sharedSessions = Map.groupBy(
  followable.map(([, example]) => example).filter(({ given, settings }) => !given && !settings),
  (
    (count) => () =>
      count++ % 4
  )(0),
);
const sharedBy = new Map(
  [...sharedSessions.values()].flatMap((examples) => {
    const denials = lazily(() => denialsOfTurns(examples));
    return examples.map((example): [Case, typeof denials] => [example, denials]);
  }),
);

async function denialsBefore(home: RealHome, example: Case): Promise<Denial[]> {
  const shared = await sharedBy.get(example)?.();
  if (!shared) return (await attempt(home, example)).denials;
  const text = JSON.stringify(shared.denials.get(example)).replaceAll(shared.home, home.path);
  return JSON.parse(text);
}

/** The denials of each example, made one after another in one session, in a home that is gone. */
async function denialsOfTurns(examples: readonly Case[]) {
  await using home = await homeFor({ files: Object.assign({}, ...examples.map(({ files }) => files)) });
  await using api = startMessagesApi();
  const options = sessionOptions.parse({});
  const { lines } = await runReal(
    { claude: claude?.path ?? "claude", home, args: argumentsOf(options), environment: api.environment },
    ...examples.map(({ call }) => inHome(home, promptOf(call))),
  );
  const ends = lines.flatMap((line, at) => (isResult(line) ? [at + 1] : []));
  const turns = ends.map((end, at) => lines.slice(ends[at - 1] ?? 0, end));
  const denials = new Map(examples.map((example, at) => [example, denialsIn(turns[at] ?? [], options)]));
  for (const { makes } of examples) if (makes !== undefined) expect(await isThere(home, makes)).toBe(false);
  return { home: home.path, denials };
}

function lazily<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => (made ??= make());
}

async function homeFor({ settings, files = {} }: Pick<Case, "settings" | "files">): Promise<RealHome> {
  const home = await realHome();
  const texts = {
    "other/there": "OTHER",
    ".claude/settings.json": JSON.stringify(settings ?? {}),
    ...files,
  };
  for (const [name, text] of Object.entries(texts)) {
    const path = pathIn(home, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  return home;
}

async function attempt(home: RealHome, { call, given = {} }: Case, printed?: PrintedAdvice) {
  await using api = startMessagesApi();
  const own = sessionOptions.parse(inHome(home, given));
  const options = printed ? followed(own, printed) : own;
  const ended = await runReal(
    { claude: claude?.path ?? "claude", home, args: argumentsOf(options), environment: api.environment },
    inHome(home, promptOf(call)),
  );
  return { denials: denialsIn(ended.lines, options), said: String(resultOf(ended)["result"]) };
}

function promptOf(call: Case["call"]): string {
  return typeof call === "string" ? `RUN: ${call}` : `TOOL: ${call.tool} ${JSON.stringify(call.input)}`;
}

function argumentsOf(options: SessionOptions): string[] {
  return argumentsFor(options, crypto.randomUUID()).filter(
    (argument) => !streamingArguments.some((one) => one === argument),
  );
}

function denialsIn(lines: readonly Line[], given: SessionOptions): Denial[] {
  const reading = newReading();
  for (const line of lines) {
    const text = JSON.stringify(line);
    applyLine(reading, { kind: "whole", offset: 0, length: text.length, text });
  }
  return usageOf(reading, 1, undefined, given).denials ?? [];
}

function inHome<Value>(home: RealHome, value: Value): Value {
  const text = JSON.stringify(value)
    .replaceAll("HERE", home.project)
    .replaceAll(/HOME(?=\/)/g, home.path);
  return JSON.parse(text);
}

function pathIn(home: RealHome, name: string): string {
  return name.startsWith("here/") ? join(home.project, name.slice(5)) : join(home.path, name);
}

async function isThere(home: RealHome, name: string): Promise<boolean> {
  return (
    (await Bun.file(pathIn(home, name)).exists()) || Bun.spawnSync(["test", "-e", pathIn(home, name)]).success
  );
}
