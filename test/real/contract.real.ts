// What we rely on in the real `claude`. Needs npm's registry once; `bun run test:real`, `bun run test:versions`.
import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { testNeeding } from "../facilities.ts";
import { announced, startMessagesApi, stayingCommand, systemText } from "./messages-api.ts";
import {
  aborted,
  interrupt,
  isInit,
  isResult,
  prompt,
  resultOf,
  retriesOf,
  runReal,
  startReal,
} from "./session.ts";
import { useStandIn } from "./stand-in.ts";
import { claude, describeReal, has, since } from "./version.ts";

setDefaultTimeout(60_000);

describeReal("the real claude", () => {
  const standIn = useStandIn();

  function options(args: readonly string[] = [], more: Record<string, string> = {}) {
    // Without it, 2.1.285 to 2.1.301 run in the mode `auto`, and ask a model about each tool call.
    const all = ["--permission-mode=default", ...args];
    return {
      claude: claude?.path ?? "claude",
      home: standIn.home,
      args: all,
      environment: { ...standIn.api.environment, ...more },
    };
  }

  test("without a login the result is an error that says so", async () => {
    const ended = await runReal({ claude: options().claude, home: standIn.home }, "hello");
    expect(ended.exitCode).toBe(1);
    expect(ended.lines).toContainEqual(expect.objectContaining({ error: "authentication_failed" }));
    expect(resultOf(ended)).toMatchObject({ subtype: "success", is_error: true, total_cost_usd: 0 });
    expect(resultOf(ended)["result"]).toBe("Not logged in · Please run /login");
  });

  test("an end of input without a prompt says nothing and spends nothing", async () => {
    const before = standIn.api.calls().length;
    expect(await runReal(options())).toEqual({ lines: [], stderr: "", exitCode: 0 });
    expect(standIn.api.calls().length).toBe(before);
  });

  test("a command's name behind a blank or a newline is a prompt", async () => {
    for (const text of ["\n/clear now", " /clear now"]) {
      const ended = await runReal(options(), text);
      expect(resultOf(ended)).toMatchObject({ is_error: false, result: `You said: ${text}` });
      expect(ended.lines.map(({ type }) => type)).not.toContain("conversation_reset");
    }
  });

  test("every flag we pass takes its value behind an equals sign", async () => {
    const id = crypto.randomUUID();
    const directories = [join(standIn.home.path, "one, two"), join(standIn.home.path, "-three")];
    for (const directory of directories) await mkdir(directory);
    const ended = await runReal(
      options([
        `--session-id=${id}`,
        "--model=sonnet",
        "--fallback-model=haiku,opus",
        "--effort=low",
        "--agent=general-purpose",
        "--allowedTools=Bash(echo a, b *),Read",
        "--disallowedTools=Edit,Bash(rm *)",
        "--tools=Bash,Read,Edit",
        "--system-prompt=- one, two = three\n",
        "--append-system-prompt=--verbose is no flag here",
        "--permission-mode=dontAsk",
        "--max-turns=3",
        "--max-budget-usd=2.5",
        '--json-schema={"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}',
        ...directories.map((directory) => `--add-dir=${directory}`),
        "--name=-a name, with a comma",
      ]),
      'STRUCTURED: {"n":7}',
    );
    expect(ended).toMatchObject({ stderr: "", exitCode: 0 });
    expect(resultOf(ended)).toMatchObject({ is_error: false, structured_output: { n: 7 } });
    expect(ended.lines.find(isInit)).toMatchObject({
      session_id: id,
      model: expect.stringContaining("sonnet"),
      tools: ["Bash", "Read", "StructuredOutput"],
      mcp_servers: [],
      permissionMode: "dontAsk",
      ...(has("2.1.301") ? { additional_directories: directories } : {}),
    });
    const call = standIn.api.calls().at(-1);
    expect(call).toMatchObject({ output_config: { effort: "low" } });
    expect(call && systemText(call)).toContain("- one, two = three\n");
    expect(call && systemText(call)).toContain("--verbose is no flag here");
  });

  since("2.1.285")("the name of a session is said as it was given", async () => {
    const ended = await runReal(options(["--name=-a name, with a comma"]), "hello");
    expect(ended.lines).toContainEqual(
      expect.objectContaining({ subtype: "session_title_changed", title: "-a name, with a comma" }),
    );
  });

  test("without a permission mode a session runs in `default`, but in `auto` from 2.1.285 to 2.1.301", async () => {
    const { lines } = await runReal(
      { claude: options().claude, home: standIn.home, environment: standIn.api.environment },
      "hello",
    );
    const isAuto = has("2.1.285") && !has("2.1.302");
    expect(lines.find(isInit)).toMatchObject({ permissionMode: isAuto ? "auto" : "default" });
  });

  test("the permission mode that is asked for is the one that holds", async () => {
    for (const mode of ["default", "acceptEdits", "plan"]) {
      const ended = await runReal(options([`--permission-mode=${mode}`]), "hello");
      expect(ended.lines.find(isInit)).toMatchObject({ permissionMode: mode });
    }
  });

  test("an empty list of tools is none", async () => {
    expect((await runReal(options(["--tools="]), "hello")).lines.find(isInit)).toMatchObject({ tools: [] });
  });

  test("an unknown flag ends it at once", async () => {
    const ended = await runReal(options(["--no-such-flag=1"]), "hello");
    expect(ended).toMatchObject({ exitCode: 1, lines: [] });
    expect(ended.stderr).toContain("unknown option '--no-such-flag=1'");
  });

  test("a limit of turns or of money is an error of its own", async () => {
    const turns = await runReal(options(["--max-turns=1", "--allowedTools=Bash"]), "RUN: echo hello");
    expect(resultOf(turns)).toMatchObject({ subtype: "error_max_turns", is_error: true });
    const money = await runReal(options(["--max-budget-usd=0.00001"]), "hello");
    expect(resultOf(money)).toMatchObject({ subtype: "error_max_budget_usd", is_error: true });
    expect([turns.exitCode, money.exitCode]).toEqual([1, 1]);
  });

  test("the fallback model takes over from one that is not there", async () => {
    const ended = await runReal(options(["--model=sonnet", "--fallback-model=haiku"]), "FAIL 404");
    expect(ended.lines).toContainEqual(expect.objectContaining({ subtype: "model_fallback" }));
    expect(standIn.api.calls().at(-1)?.model).toContain("haiku");
  });

  test("a session is carried on under its id, and forked under a new one", async () => {
    const id = crypto.randomUUID();
    await runReal(options([`--session-id=${id}`]), "the first prompt");
    const resumed = await runReal(options([`--resume=${id}`]), "the second");
    expect(resultOf(resumed)).toMatchObject({ session_id: id, is_error: false });
    expect(JSON.stringify(standIn.api.calls().at(-1)?.messages)).toContain("the first prompt");
    const forked = await runReal(options([`--resume=${id}`, "--fork-session"]), "the third");
    expect(resultOf(forked)).toMatchObject({ is_error: false, session_id: expect.not.stringContaining(id) });
    expect(JSON.stringify(standIn.api.calls().at(-1)?.messages)).toContain("the second");
  });

  test("a Bash command runs when it is allowed, and is listed as denied when not", async () => {
    const rules = ["--allowedTools=Read,Bash(echo 'x, y' *),Bash(mkdir a *)"];
    const allowed = await runReal(options(rules), "RUN: mkdir a b");
    expect(resultOf(allowed)).toMatchObject({ is_error: false, permission_denials: [] });
    const denied = await runReal(options(rules), "RUN: mkdir c");
    expect(resultOf(denied)).toMatchObject({ permission_denials: [{ tool_name: "Bash" }] });
    expect(denied.exitCode).toBe(0);
  });

  test("an API error is a result with its status, after as many retries as allowed", async () => {
    const bad = await runReal(options(), "FAIL 400");
    expect(bad.exitCode).toBe(1);
    expect(resultOf(bad)).toMatchObject({ subtype: "success", is_error: true, api_error_status: 400 });
    expect(retriesOf(bad)).toEqual([]);
    const busy = await runReal(options([], { CLAUDE_CODE_MAX_RETRIES: "1" }), "FAIL 529");
    expect(resultOf(busy)).toMatchObject({ is_error: true, api_error_status: 529 });
    expect(retriesOf(busy)).toMatchObject([{ attempt: 1, max_retries: 1, error_status: 529 }]);
  });

  test("an interrupt ends a reply in the middle, and the session answers the next prompt", async () => {
    await using session = startReal(options());
    session.send(prompt("HOLD this"));
    const held = await standIn.api.request(({ userText }) => userText === "HOLD this");
    await session.next(({ type }) => type === "assistant");
    session.send(interrupt());
    const stopped = await session.next(isResult);
    expect(stopped).toMatchObject({
      subtype: "error_during_execution",
      terminal_reason: "aborted_streaming",
    });
    await aborted(held.gone);
    session.send(prompt("and now"));
    expect(await session.next(isResult)).toMatchObject({ is_error: false, result: "You said: and now" });
    expect((await session.end()).exitCode).toBe(0);
  });

  testNeeding("a system other than Windows")("an interrupt kills the running Bash command", async () => {
    await using own = startMessagesApi();
    await using session = startReal(options(["--allowedTools=Bash"], own.environment));
    session.send(prompt(`RUN: ${stayingCommand(own)}`));
    const { gone } = await announced(own);
    session.send(interrupt());
    expect(await session.next(isResult)).toMatchObject({ terminal_reason: "aborted_tools" });
    await aborted(gone);
    expect((await session.end()).exitCode).toBe(1);
  });

  testNeeding("Linux")(
    "what a Bash command leaves behind can be told by the environment it inherited",
    async () => {
      await using own = startMessagesApi();
      const environment = { ...own.environment, PARALLEL_CLAUDE_ATTEMPT: "batch.7.1" };
      const command = `RUN: (setsid ${stayingCommand(own)} > /dev/null 2>&1 &)`;
      expect((await runReal(options(["--allowedTools=Bash"], environment), command)).exitCode).toBe(0);
      const { pid, gone } = await announced(own);
      try {
        expect(gone.aborted).toBe(false);
        const inherited = (await readFile(`/proc/${pid}/environ`, "utf8")).split("\0");
        expect(inherited).toContain("PARALLEL_CLAUDE_ATTEMPT=batch.7.1");
      } finally {
        process.kill(pid, "SIGKILL");
      }
      await aborted(gone);
    },
  );
});
