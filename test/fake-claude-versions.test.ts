// What the fake `claude` does in one version and not in another, each as the real one was seen to do it.

import { describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { testNeeding } from "./facilities.ts";
import { messagesIn, run, start, streaming, temporaryFolder, userLine } from "./fixtures/run-fake-claude.ts";

const older = "2.1.197";
const newest = "2.1.332";

/** Runs sessions one after the other in one home, and gives their last results. */
function sessions(version: string) {
  const folder = temporaryFolder();
  const env = { HOME: folder.path, FAKE_CLAUDE_VERSION: version };
  return {
    path: folder.path,
    env,
    async ask(args: readonly string[], ...prompts: unknown[]) {
      const options = { args: [...streaming, ...args], cwd: folder.path, env, lines: prompts.map(userLine) };
      const messages = messagesIn((await run(options)).stdout);
      return messages.filter(({ type }) => type === "result");
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

test.concurrent("it is the version that it is told to be", async () => {
  for (const version of [older, "2.1.277", newest]) {
    const env = { FAKE_CLAUDE_VERSION: version };
    expect((await run({ args: ["--version"], env })).stdout).toBe(`${version} (Claude Code)\n`);
    const { stdout } = await run({ args: streaming, env, lines: [userLine("hi")] });
    expect(messagesIn(stdout)[0]).toMatchObject({ claude_code_version: version });
  }
});

describe("a conversation that goes on", () => {
  const costs = (results: Record<string, unknown>[]) => results.map((result) => result["total_cost_usd"]);
  const id = "11111111-2222-4333-8444-555555555501";

  test.concurrent("begins with what it had cost since 2.1.277, forked too", async () => {
    for (const [version, resumed] of [
      ["2.1.276", 0.25],
      ["2.1.277", 0.75],
    ] as const) {
      using home = sessions(version);
      await home.ask(["--session-id", id], "[[cost usd=0.5]]");
      expect(costs(await home.ask(["--resume", id, "--fork-session"], "[[cost usd=0.25]]"))).toEqual([
        resumed,
      ]);
      expect(costs(await home.ask(["--resume", id], "[[cost usd=0.25]]"))).toEqual([resumed]);
    }
  });

  test.concurrent("says since 2.1.309 what each turn cost, but for prompts on the command line", async () => {
    for (const [version, there] of [
      ["2.1.308", false],
      ["2.1.309", true],
    ] as const) {
      using home = sessions(version);
      const results = await home.ask([], "[[cost usd=0.5]]", "[[cost usd=0.25]]");
      const turns = results.map((result) => result["model_usage_since_last_result"]);
      expect(turns.map((usage) => usage !== undefined)).toEqual([there, there]);
      if (there) expect(Object.values(turns[1] ?? {})).toMatchObject([{ costUSD: 0.25 }]);
    }
    const { stdout } = await run({ args: ["-p", "--output-format", "json", "hi"] });
    expect(JSON.parse(stdout)).not.toHaveProperty("model_usage_since_last_result");
  });

  testNeeding("signals that can be heard")(
    "keeps what it cost when it is ended by SIGTERM, and not by SIGKILL",
    async () => {
      for (const [signal, total] of [
        ["SIGTERM", 0.75],
        ["SIGKILL", 0.25],
      ] as const) {
        using home = sessions(newest);
        await using claude = start({
          args: [...streaming, "--session-id", id],
          cwd: home.path,
          env: home.env,
          stdin: "open",
        });
        claude.send(userLine("[[cost usd=0.5]]"));
        await claude.until("result");
        claude.kill(signal);
        await claude.finished();
        expect(costs(await home.ask(["--resume", id], "[[cost usd=0.25]]"))).toEqual([total]);
      }
    },
  );

  test.concurrent("counts from nothing again after /clear", async () => {
    for (const [version, total] of [
      ["2.1.210", 0.75],
      ["2.1.211", 0.25],
    ] as const) {
      using home = sessions(version);
      const results = await home.ask([], "[[cost usd=0.5]]", "/clear", "[[cost usd=0.25]]");
      expect(costs(results).at(-1)).toBe(total);
    }
  });

  test.concurrent("has a budget for what is new alone", async () => {
    using home = sessions(newest);
    await home.ask(["--session-id", id], "[[cost usd=0.5]]");
    const budget = ["--resume", id, "--max-budget-usd", "0.3"];
    expect(await home.ask(budget, "[[cost usd=0.25]]")).toMatchObject([{ is_error: false }]);
  });

  test("is kept under a name of at most 200 characters and a hash", async () => {
    using home = sessions(newest);
    const deep = join(home.path, "a".repeat(90), "b".repeat(90));
    mkdirSync(deep, { recursive: true });
    await run({ args: ["-p", "hi"], cwd: deep, env: home.env });
    const [name = ""] = await readdir(join(home.path, ".claude/projects"));
    expect(name.slice(0, 200)).toBe(deep.replaceAll(/[^A-Za-z0-9]/g, "-").slice(0, 200));
    expect(name.slice(200)).toMatch(/^-[0-9a-z]{1,6}$/);
  });
});

describe("options:", () => {
  const initOf = async (version: string, ...args: string[]) => {
    const env = { FAKE_CLAUDE_VERSION: version };
    const { stdout, stderr } = await run({ args: [...streaming, ...args], env, lines: [userLine("hi")] });
    return messagesIn(stdout)[0] ?? { stderr };
  };

  test.concurrent("an agent that does not exist is refused by the old one, unless more agents may come on stdin", async () => {
    const env = { FAKE_CLAUDE_VERSION: older };
    const { stderr } = await run({ args: ["-p", "hi", "--agent", "nope"], env });
    expect(stderr).toContain("--agent 'nope' not found");
    for (const version of [older, newest])
      expect((await initOf(version, "--agent", "nope"))["agents"]).not.toContain("nope");
  });

  test.concurrent("settings choose the permission mode, the command line before them", async () => {
    const settings = ["--settings", '{"permissions":{"defaultMode":"plan"}}'];
    expect(await initOf(newest, ...settings)).toMatchObject({ permissionMode: "plan" });
    expect(await initOf(newest, ...settings, "--permission-mode", "dontAsk")).toMatchObject({
      permissionMode: "dontAsk",
    });
    expect(await initOf(newest, "--permission-mode", "manual")).toMatchObject({ permissionMode: "default" });
  });

  test.concurrent("tools are taken away", async () => {
    expect((await initOf(newest, "--restricted"))["tools"]).toEqual(
      (
        "Task CronDelete CronList Edit EnterWorktree ExitWorktree Glob Grep ListAgents NotebookEdit Read " +
        "ReportFindings ScheduleWakeup SendMessage Skill TaskStop ToolSearch WebSearch Write"
      ).split(" "),
    );
    const denied = (await initOf(newest, "--disallowedTools", "Bash,SendMessage,Agent"))["tools"];
    expect(denied).toEqual(expect.arrayContaining(["Glob", "Grep"]));
    for (const gone of ["Bash", "Monitor", "SendMessage", "Task"]) expect(denied).not.toContain(gone);
    expect((await initOf(older, "--restricted"))["stderr"]).toContain("unknown option '--restricted'");
  });

  test.concurrent("a start that fails is a result too when that is asked for", async () => {
    const env = { CLAUDE_CODE_STARTUP_FAILURE_RESULTS: "1", IS_SANDBOX: undefined };
    const id = "11111111-2222-4333-8444-555555555501";
    const { stdout, exitCode } = await run({ args: [...streaming, "--resume", id], env });
    expect(messagesIn(stdout)).toMatchObject([
      {
        subtype: "error_during_execution",
        session_id: id,
        num_turns: 0,
        errors: [`No conversation found with session ID: ${id}`],
      },
    ]);
    expect([exitCode, messagesIn(stdout)[0]?.["startup_failure_reason"]]).toEqual([1, undefined]);
  });
});

describe("a prompt", () => {
  test.concurrent("in blocks is asked by its first text, and mentions files in its last", async () => {
    using home = sessions(newest);
    await Bun.write(join(home.path, "a.txt"), "");
    const blocks = (last: string) => [
      { type: "text", text: "[[mentions]] @a.txt" },
      { type: "text", text: last },
    ];
    const read = async (last: string) => (await home.ask([], blocks(last)))[0]?.["result"];
    expect(await read("")).toBe("[]");
    expect(await read('@a.txt, then @"a.txt" and。@./a.txt#L1')).toBe('["a.txt","a.txt","./a.txt"]');
    expect(await read("`@a.txt` (@a.txt) x@a.txt \u200b@a.txt @b.txt")).toBe("[]");
  });

  test.concurrent("can be followed by a turn of another session, or by a result that is lost", async () => {
    using home = sessions(newest);
    expect(await home.ask([], "[[answer text=mine]][[peer text=theirs]]")).toMatchObject([
      { result: "mine", result_index: 0 },
      { result: "theirs", result_index: 1, origin: { kind: "peer", name: "second" } },
    ]);
    expect(await home.ask([], "[[result-gap]]")).toMatchObject([{ result_index: 1 }]);
  });

  test.concurrent("gets its data with the turn that comes after a subagent", async () => {
    using home = sessions(newest);
    const schema = '{"type":"object","properties":{"n":{"type":"integer"}}}';
    const prompt = `[[background-agent text=wait structured='{"n":4}']]`;
    expect(await home.ask(["--json-schema", schema], prompt)).toMatchObject([
      { result: "wait" },
      { structured_output: { n: 4 }, origin: { kind: "task-notification" } },
    ]);
  });
});
