// What one conversation of the real `claude` leaves to the next one in the same process, behind `/clear`: the table that
// decides which sessions may be used again. Each row is looked at before and after. `bun run test:versions`.
import { beforeAll, describe, expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type MessagesApi, type MessagesBody, startMessagesApi } from "./messages-api.ts";
import { tokensOfCall } from "./messages-reply.ts";
import {
  interrupt,
  isInit,
  isResult,
  type Line,
  prompt,
  type RealHome,
  type RealSession,
  realHome,
  startReal,
} from "./session.ts";
import { claude, describeReal, has, setPatience, since, sinceMark } from "./version.ts";

setPatience(60_000);

// Older ones are never used again.
const firstVersion = "2.1.309";

/** One turn: its result, the `init` before it, what its tools said, and its last request. */
interface Turn {
  readonly result: Line;
  readonly init: Line;
  readonly said: readonly string[];
  readonly body: MessagesBody | undefined;
}

/** A process with its own home and API. */
interface Scene extends AsyncDisposable {
  readonly home: RealHome;
  readonly api: MessagesApi;
  readonly session: RealSession;
  /** Asks for the steps, one after the other, and waits for the result. */
  turn(...steps: string[]): Promise<Turn>;
  /** Sends `/clear`, and gives what it says. */
  clear(): Promise<Cleared>;
  control(request: object): Promise<Line>;
}

/** What `/clear` says. */
interface Cleared {
  readonly reset: Line;
  readonly init: Line;
  readonly result: Line;
}

interface SceneOptions {
  args?: readonly string[];
  files?: Readonly<Record<string, string>>;
  initialize?: object;
  inGit?: boolean;
}

async function scene({ args = [], files = {}, initialize, inGit }: SceneOptions = {}): Promise<Scene> {
  const home = await realHome();
  const api = startMessagesApi();
  await write(home, files);
  if (inGit) git(home, "init", "-q");
  if (inGit) git(home, "commit", "-q", "--allow-empty", "-m", "begin");
  const rules = [
    "Bash",
    "Read",
    "Write",
    "Agent",
    "CronCreate",
    "CronList",
    "EnterWorktree",
    "ToolSearch",
    "TaskCreate",
    "TaskList",
    "mcp__count",
  ];
  const session = startReal({
    claude: claude?.path ?? "claude",
    home,
    args: ["--model=sonnet", "--permission-mode=default", `--allowedTools=${rules.join(",")}`, ...args],
    environment: { ...api.environment, CLAUDE_CODE_MAX_RETRIES: "0" },
  });
  const control = async (request: object) => {
    session.send({ type: "control_request", request_id: crypto.randomUUID(), request });
    return await session.next(({ type }) => type === "control_response");
  };
  if (initialize) await control({ subtype: "initialize", ...initialize });
  return {
    home,
    api,
    session,
    control,
    async turn(...steps) {
      session.send(prompt(steps.join("\n THEN ")));
      const init = await session.next(isInit);
      const result = await session.next(isResult);
      const body = api.calls().at(-1);
      return { result, init, said: body ? toolResults(body) : [], body };
    },
    async clear() {
      session.send(prompt("/clear"));
      const reset = await session.next(({ type }) => type === "conversation_reset");
      return { reset, init: await session.next(isInit), result: await session.next(isResult) };
    },
    async [Symbol.asyncDispose]() {
      await session[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
      await home[Symbol.asyncDispose]();
    },
  };
}

describeReal("what a conversation leaves to the next one in the same process", () => {
  describe("of all that one conversation did", () => {
    let before: Turn;
    let cleared: Cleared;
    let after: Turn;

    beforeAll(async () => {
      if (!has(firstVersion)) return;
      const files = { "file.txt": "content\n", "CLAUDE.md": "Memory one.\n", "sub/x": "", ".claude/x": "" };
      await using process = await scene({ files, inGit: true });
      const { home, turn } = process;
      const path = join(home.project, "file.txt");
      const overwrite = tool("Write", { file_path: path, content: "of the model" });
      const probes = ["RUN: pwd", overwrite, "RUN: printenv LATE || echo none", tool("TaskList", {})];
      await turn(tool("ToolSearch", { query: "select:TaskCreate,TaskList", max_results: 5 }));
      await turn(tool("TaskCreate", { subject: "Left", description: "is left" }), "SAY: planned");
      await turn("RUN: cd sub", tool("Read", { file_path: path }), "SAY: gone there");
      await write(home, { "file.txt": "of somebody else" });
      before = await turn(...probes, "SAY: the first answer");
      await write(home, { ...agentAndSkill("late"), "CLAUDE.md": "Memory two.\n" });
      await write(home, { ".claude/settings.json": JSON.stringify({ env: { LATE: "set" } }) });
      cleared = await process.clear();
      after = await turn(...probes, "SAY: the second answer");
    });

    const row = (title: string, body: () => void) =>
      test.skipIf(!has(firstVersion))(`${title} ${sinceMark(firstVersion)}`, body);

    row("the id is new, and `/clear` itself is a turn that costs nothing", () => {
      const { reset, init, result } = cleared;
      expect(reset).toMatchObject({ session_id: before.result["session_id"] });
      expect(init["session_id"]).not.toBe(before.result["session_id"]);
      expect(result).toMatchObject({ is_error: false, num_turns: 0, total_cost_usd: 0, modelUsage: {} });
      const ids = [result, after.init, after.result].map((line) => line["session_id"]);
      expect(ids).toEqual(ids.map(() => init["session_id"]));
    });

    row("the conversation is gone, but the model sees that `/clear` was called", () => {
      expect(JSON.stringify(before.body)).toContain("gone there");
      expect(JSON.stringify(after.body)).not.toContain("gone there");
      expect(JSON.stringify(before.body)).not.toContain("<command-name>/clear</command-name>");
      expect(JSON.stringify(after.body)).toContain("<command-name>/clear</command-name>");
    });

    row("costs begin at 0", () => {
      const ofTurn = (before.said.length + 1) * callUsd(after);
      expect(Number(before.result["total_cost_usd"])).toBeGreaterThan(ofTurn + callUsd(after));
      expect(Number(after.result["total_cost_usd"])).toBeCloseTo(ofTurn, 6);
      const tokens = { outputTokens: (before.said.length + 1) * tokensOfCall.output };
      expect(Object.values(Object(after.result["modelUsage"]))).toEqual([expect.objectContaining(tokens)]);
    });

    row("the working directory of Bash is that of the start again", () => {
      expect(before.said[0]).toEndWith("/sub");
      expect(after.said[0]).toEndWith("/project");
    });

    row("which files were read is forgotten", () => {
      expect(before.said[1]).toContain("has been modified since read");
      expect(after.said[1]).toContain("updated successfully");
    });

    row("the list of tasks is empty", () => {
      expect(before.said[3]).toContain("Left");
      expect(after.said[3]).toBe("No tasks found");
    });

    row("tools that were searched for must be searched for again", () => {
      expect(toolNames(before)).toContain("TaskCreate");
      expect(toolNames(after)).not.toContain("TaskCreate");
    });

    row("instructions and skills are read again", () => {
      expect(JSON.stringify(before.body)).toContain("Memory one.");
      expect(JSON.stringify(after.body)).not.toContain("Memory one.");
      expect(JSON.stringify(after.body)).toContain("Memory two.");
      expect(before.init["skills"]).not.toContain("late");
      expect(after.init["skills"]).toContain("late");
    });

    row("agents and settings are those of the start, even if their files have changed since", () => {
      expect(after.init["agents"]).toEqual(before.init["agents"]);
      expect(after.init["agents"]).not.toContain("late");
      expect([before.said[2], after.said[2]]).toEqual(["none", "none"]);
    });
  });

  since(firstVersion)("new agents and settings are seen by a new process", async () => {
    const settings = JSON.stringify({ env: { LATE: "set" } });
    await using process = await scene({
      files: { ...agentAndSkill("late"), ".claude/settings.json": settings },
    });
    const { init, said } = await process.turn("RUN: echo $LATE");
    expect(init["agents"]).toContain("late");
    expect(said).toEqual(["set"]);
  });

  since(firstVersion)(
    "what the process was started with stays: options, rules, and what `initialize` gave",
    async () => {
      const jsonSchema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
      const agents = { mine: { description: "Mine", prompt: "Be mine." } };
      await using process = await scene({
        args: ["--permission-mode=acceptEdits", "--disallowedTools=WebFetch"],
        initialize: { appendSystemPrompt: "Given by initialize.", agents, jsonSchema },
      });
      const turns: Turn[] = [];
      for (const n of [1, 2]) {
        turns.push(await process.turn("RUN: echo allowed", `STRUCTURED: {"n":${n}}`, "SAY: done"));
        if (n === 1) await process.clear();
      }
      for (const [index, { result, init, said, body }] of turns.entries()) {
        expect(result).toMatchObject({ is_error: false, structured_output: { n: index + 1 } });
        expect(init).toMatchObject({ permissionMode: "acceptEdits", model: turns[0]?.init["model"] });
        expect(init["agents"]).toContain("mine");
        expect(init["tools"]).not.toContain("WebFetch");
        expect(said[0]).toBe("allowed");
        expect(JSON.stringify(body?.system)).toContain("Given by initialize.");
      }
    },
  );

  since(firstVersion)("instructions and the state of git are read with the next prompt", async () => {
    const files = { "CLAUDE.md": "Memory one.\n", "sub/CLAUDE.md": "Nested one.\n", "sub/file.txt": "" };
    await using process = await scene({ files, inGit: true });
    const { home, turn } = process;
    const read = tool("Read", { file_path: join(home.project, "sub", "file.txt") });
    await turn(read, "SAY: one");
    await write(home, { "CLAUDE.md": "Memory two.\n", "sub/CLAUDE.md": "Nested two.\n" });
    await process.clear();
    await write(home, { "CLAUDE.md": "Memory three.\n", "sub/CLAUDE.md": "Nested three.\n" });
    git(home, "commit", "-q", "--allow-empty", "-m", "in between");
    const body = JSON.stringify((await turn(read, "SAY: two")).body);
    const texts = ["Memory", "Nested"].flatMap((word) => ["one", "two", "three"].map((n) => `${word} ${n}.`));
    expect(texts.filter((text) => body.includes(text))).toEqual(["Memory three.", "Nested three."]);
    expect(body).toContain("in between");
  });

  since(firstVersion)("limits of turns and money begin again", async () => {
    await using process = await scene({ args: ["--max-turns=2", "--max-budget-usd=0.06"] });
    const turns: Turn[] = [];
    for (let n = 0; n < 3; n++) {
      turns.push(await process.turn("RUN: echo yes", "SAY: done"));
      await process.clear();
    }
    expect(turns.map(({ result }) => result["subtype"])).toEqual(["success", "success", "success"]);
    const spent = turns.map(({ result }) => Number(result["total_cost_usd"]));
    expect(spent.reduce((sum, usd) => sum + usd)).toBeGreaterThan(0.06);
  });

  since(firstVersion)("denied calls, and wrong data, are those of the own conversation", async () => {
    const jsonSchema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
    await using process = await scene({ initialize: { jsonSchema } });
    const denied = tool("WebFetch", { url: "http://127.0.0.1:1/", prompt: "look" });
    const wrong = Array.from({ length: 3 }, (_, n) => `STRUCTURED: {"n":"wrong ${n}"}`);
    const turns: Turn[] = [];
    for (const first of [[denied], [], [denied]]) {
      turns.push(await process.turn(...first, ...wrong, 'STRUCTURED: {"n":1}', "SAY: done"));
      await process.clear();
    }
    const denials = turns.map(({ result }) => result["permission_denials"]);
    expect(denials).toEqual([[expect.anything()], [], [expect.anything()]]);
    for (const { result } of turns)
      expect(result).toMatchObject({ subtype: "success", structured_output: { n: 1 } });
  });

  since(firstVersion)("a permission mode and a model that were set in the conversation stay", async () => {
    await using process = await scene();
    const before = await process.turn("SAY: one");
    await process.control({ subtype: "set_permission_mode", mode: "acceptEdits" });
    await process.control({ subtype: "set_model", model: "haiku" });
    const { init } = await process.clear();
    expect(before.init["permissionMode"]).toBe("default");
    expect(init["permissionMode"]).toBe("acceptEdits");
    expect(init["model"]).not.toBe(before.init["model"]);
    expect((await process.turn("SAY: two")).body?.model).toBe(String(init["model"]));
  });

  since(firstVersion)("a hook at the start is reported before `initialize` is answered", async () => {
    const hooks = { SessionStart: [{ hooks: [{ type: "command", command: "echo ran" }] }] };
    await using process = await scene({ files: { ".claude/settings.json": JSON.stringify({ hooks }) } });
    process.session.send({
      type: "control_request",
      request_id: "begin",
      request: { subtype: "initialize" },
    });
    const told = ({ type, subtype }: Line) => type === "control_response" || subtype === "hook_started";
    const first = await process.session.next(told);
    expect(first).toMatchObject({ subtype: "hook_started", hook_event: "SessionStart" });
  });

  since(firstVersion)("a worktree that was entered stays", async () => {
    await using process = await scene({ inGit: true });
    const before = await process.turn(tool("EnterWorktree", { name: "tree" }), "RUN: pwd");
    const { init } = await process.clear();
    expect(init["cwd"]).not.toBe(before.init["cwd"]);
    expect((await process.turn("RUN: pwd")).said).toEqual([String(init["cwd"])]);
  });

  since(firstVersion)(
    "a command in the background runs on, and its end is a turn of the next conversation",
    async () => {
      await using process = await scene();
      const command = "until [ -e ended ]; do sleep 0.05; done";
      await process.turn(
        tool("Bash", { command, description: "runs on", run_in_background: true }),
        "SAY: it runs",
      );
      const { init } = await process.clear();
      await process.turn("SAY: two");
      await write(process.home, { ended: "" });
      expect(await process.session.next(isResult)).toMatchObject({
        session_id: init["session_id"],
        origin: { kind: "task-notification" },
      });
    },
  );

  since(firstVersion)(
    "a subagent in the background runs on, at the cost of the next conversation",
    async () => {
      await using process = await scene();
      const input = { description: "look", prompt: "AFTER gate: found", subagent_type: "general-purpose" };
      await process.turn(tool("Agent", input), "SAY: I wait for it");
      const { init } = await process.clear();
      const { result } = await process.turn("SAY: two");
      process.api.open("gate");
      const late = await process.session.next(isResult);
      expect(late).toMatchObject({
        session_id: init["session_id"],
        origin: { kind: "task-notification" },
      });
      // One call of the turn behind the notification, and one of the subagent.
      const more = Number(late["total_cost_usd"]) - Number(result["total_cost_usd"]);
      expect(more).toBeCloseTo(2 * Number(result["total_cost_usd"]), 6);
    },
  );

  since(firstVersion)("a prompt that was scheduled stays", async () => {
    await using process = await scene();
    const scheduled = tool("CronCreate", { cron: "0 0 1 1 *", prompt: "later", recurring: true });
    const before = await process.turn(scheduled, tool("CronList", {}));
    await process.clear();
    const after = await process.turn(tool("CronList", {}));
    expect(after.said[0]).toContain("0 0 1 1 *");
    expect(after.said[0]).toBe(before.said[1]);
  });

  since(firstVersion)("servers stay, with what they remember", async () => {
    const servers = {
      mcpServers: { count: { command: globalThis.process.execPath, args: ["-e", countingServer] } },
    };
    await using process = await scene({ args: [`--mcp-config=${JSON.stringify(servers)}`] });
    const before = await process.turn(tool("mcp__count__next", {}));
    await process.clear();
    const after = await process.turn(tool("mcp__count__next", {}));
    expect([before.said[0], after.said[0]].map((text) => /\d+ calls of \d+/.exec(text ?? "")?.[0])).toEqual([
      expect.stringMatching(/^1 calls of/),
      expect.stringMatching(/^2 calls of/),
    ]);
    const pidIn = (text = "") => /of (\d+)/.exec(text)?.[1];
    expect(pidIn(after.said[0])).toBe(pidIn(before.said[0]));
  });

  const others = {
    "a command": { ".claude/commands/clear.md": "SAY: own" },
    "a skill": { ".claude/skills/clear/SKILL.md": "---\nname: clear\ndescription: Own\n---\nSAY: own\n" },
  };
  for (const [what, files] of Object.entries(others))
    since(firstVersion)(`${what} with that name runs instead, at a cost`, async () => {
      await using process = await scene({ files, inGit: true });
      await process.turn("SAY: one");
      process.session.send(prompt("/clear"));
      const result = await process.session.next(isResult);
      expect(result).toMatchObject({ is_error: false, num_turns: 1 });
      expect(process.api.calls()).toHaveLength(2);
    });

  since(firstVersion)("hooks see an end and a start", async () => {
    const hook = [{ hooks: [{ type: "command", command: "cat >> hooks.ndjson" }] }];
    const settings = JSON.stringify({ hooks: { SessionStart: hook, SessionEnd: hook } });
    await using process = await scene({ args: [`--settings=${settings}`] });
    await process.turn("SAY: one");
    await process.clear();
    await process.turn("SAY: two");
    const seen = Bun.JSONL.parse(await Bun.file(join(process.home.project, "hooks.ndjson")).text());
    expect(seen).toEqual([
      expect.objectContaining({ hook_event_name: "SessionStart", source: "startup" }),
      expect.objectContaining({ hook_event_name: "SessionEnd", reason: "clear" }),
      expect.objectContaining({ hook_event_name: "SessionStart", source: "clear" }),
    ]);
  });

  since(firstVersion)("an error and an interrupt leave nothing", async () => {
    await using process = await scene();
    const { result } = await process.turn("FAIL 400");
    expect(result).toMatchObject({ is_error: true });
    await process.clear();
    process.session.send(prompt("HOLD"));
    await process.api.request(({ userText }) => userText === "HOLD");
    process.session.send(interrupt());
    expect(await process.session.next(isResult)).toMatchObject({ subtype: "error_during_execution" });
    await process.clear();
    const after = await process.turn("SAY: fine");
    expect(after.result).toMatchObject({ is_error: false, result: "fine", num_turns: 1 });
    expect(JSON.stringify(after.body)).not.toContain("HOLD");
  });
});

/** A server that says how often it was called, and by which process it runs. */
const countingServer = `
  let calls = 0;
  for await (const line of console) {
    const { id, method, params } = JSON.parse(line);
    if (id === undefined) continue;
    const name = { name: "next", description: "counts", inputSchema: { type: "object" } };
    const content = () => [{ type: "text", text: ++calls + " calls of " + process.pid }];
    const result = {
      initialize: () => ({ protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "count", version: "1" } }),
      "tools/list": () => ({ tools: [name] }),
      "tools/call": () => ({ content: content() }),
    }[method]?.() ?? {};
    console.log(JSON.stringify({ jsonrpc: "2.0", id, result }));
  }`;

/** A step of a prompt that calls a tool. */
function tool(name: string, input: object): string {
  return `TOOL: ${name} ${JSON.stringify(input)}`;
}

/** What the tools said since the last prompt. */
function toolResults(body: MessagesBody): string[] {
  const blocks = sincePrompt(body).flatMap(({ content }) => (typeof content === "string" ? [] : content));
  return blocks.filter(({ type }) => type === "tool_result").map(({ content }) => textOf(content));
}

// The messages behind the last prompt, which begins with a word in capitals.
function sincePrompt({ messages }: MessagesBody): MessagesBody["messages"] {
  const isPrompt = (text = "") => /^[A-Z]+(?: \w+)?:? /.test(text);
  const begins = ({ role, content }: MessagesBody["messages"][number]) =>
    role === "user" &&
    (typeof content === "string" ? isPrompt(content) : content.some(({ text }) => isPrompt(text)));
  return messages.slice(messages.findLastIndex(begins) + 1);
}

function toolNames({ body }: Turn): string[] {
  return (body?.tools ?? []).flatMap(({ name }) => name ?? []);
}

/** What one call costs, by what a turn of several says. */
function callUsd({ result, said }: Turn): number {
  return Number(result["total_cost_usd"]) / (said.length + 1);
}

function textOf(content: unknown): string {
  return typeof content === "string" ? content : JSON.stringify(content);
}

async function write({ project }: RealHome, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(project, path, ".."), { recursive: true });
    await Bun.write(join(project, path), text);
  }
}

function git({ project }: RealHome, ...args: string[]): void {
  const identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"];
  Bun.spawnSync(["git", ...identity, ...args], { cwd: project });
}

/** Files of a project that define an agent and a skill. */
function agentAndSkill(name: string): Record<string, string> {
  const text = `---\nname: ${name}\ndescription: Came ${name}\n---\nBe ${name}.\n`;
  return { [`.claude/agents/${name}.md`]: text, [`.claude/skills/${name}/SKILL.md`]: text };
}
