// What the real `claude` says of work that goes on behind a result. `bun run test:versions`.
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { isResult, type Line, prompt, resultOf, runReal, startReal } from "./session.ts";
import { useStandIn } from "./stand-in.ts";
import { claude, describeReal, has, since } from "./version.ts";

setDefaultTimeout(60_000);

describeReal("the background work of the real claude", () => {
  const standIn = useStandIn();

  function options(environment: Record<string, string> = {}) {
    const path = claude?.path ?? "claude";
    const args = ["--model=sonnet", "--permission-mode=default", "--allowedTools=Bash"];
    return {
      claude: path,
      home: standIn.home,
      args,
      environment: { ...standIn.api.environment, ...environment },
    };
  }

  /** Has a subagent started that answers once the gate is open, and something said then. */
  function delegated(gate: string): object {
    const input = { description: "look", prompt: `AFTER ${gate}: found`, subagent_type: "general-purpose" };
    return prompt(`TOOL: Agent ${JSON.stringify(input)}\n THEN SAY: I wait for it`);
  }

  function inBackground(command: string): object {
    const input = { command, description: "Runs on", run_in_background: true };
    return prompt(`TOOL: Bash ${JSON.stringify(input)}\n THEN SAY: it runs`);
  }

  test("a subagent is waited for in 2.1.197, and runs in the background since 2.1.198", async () => {
    await using session = startReal(options());
    session.send(delegated("first"));
    await standIn.api.request(({ userText }) => userText.startsWith("AFTER first"));
    if (!has("2.1.198")) standIn.api.open("first");
    expect(await session.next(isResult)).toMatchObject({ is_error: false, result: "I wait for it" });
    standIn.api.open("first");
    const more = (await session.end()).lines.filter(isResult).slice(1);
    expect(more).toHaveLength(has("2.1.198") ? 1 : 0);
  });

  since("2.1.198")("a subagent's end brings a result of its own, behind its notification", async () => {
    await using session = startReal(options());
    session.send(delegated("second"));
    expect(await session.next(isResult)).not.toHaveProperty("origin");
    standIn.api.open("second");
    expect(await session.next(isNotification)).toMatchObject({ status: "completed" });
    expect(await session.next(isResult)).toMatchObject({
      is_error: false,
      origin: { kind: "task-notification" },
    });
    expect((await session.end()).exitCode).toBe(0);
  });

  since("2.1.203")("open subagents and commands are listed by kind, until none is open", async () => {
    await using session = startReal(options());
    session.send(delegated("third"));
    expect(await session.next(isTaskList)).toMatchObject({ tasks: [{ task_type: "local_agent" }] });
    await session.next(isResult);
    standIn.api.open("third");
    expect(await session.next(isTaskList)).toMatchObject({ tasks: [] });
    await session.next(isResult);
    session.send(inBackground("until [ -e third ]; do sleep 0.05; done"));
    expect(await session.next(isTaskList)).toMatchObject({ tasks: [{ task_type: "local_bash" }] });
    await session.next(isResult);
    await Bun.write(join(standIn.home.project, "third"), "");
    expect(await session.next(isTaskList)).toMatchObject({ tasks: [] });
  });

  test("the end of a background command brings a result of its own", async () => {
    await using session = startReal(options());
    session.send(inBackground("until [ -e fourth ]; do sleep 0.05; done"));
    expect(await session.next(isResult)).toMatchObject({ result: "it runs" });
    await Bun.write(join(standIn.home.project, "fourth"), "");
    expect(await session.next(isNotification)).toMatchObject({ status: "completed" });
    expect(await session.next(isResult)).toMatchObject({ origin: { kind: "task-notification" } });
  });

  since("2.1.268")("results are numbered from 0, those of background work too", async () => {
    await using session = startReal(options());
    session.send(delegated("fifth"));
    const numbers = [await session.next(isResult)];
    standIn.api.open("fifth");
    numbers.push(await session.next(isResult));
    session.send(prompt("and now"));
    numbers.push(await session.next(isResult));
    expect(numbers.map((line) => line["result_index"])).toEqual([0, 1, 2]);
  });

  test("prompts that are sent during a turn make one turn together behind it", async () => {
    await using session = startReal(options());
    session.send(prompt("AFTER sixth: one"));
    await standIn.api.request(({ userText }) => userText.startsWith("AFTER sixth"));
    session.send(prompt("two"), prompt("three"), readSoFar());
    await session.next(({ type }) => type === "control_response");
    standIn.api.open("sixth");
    const results = (await session.end()).lines.filter(isResult);
    expect(results.map(({ result }) => result)).toEqual(["one", "You said: two\nthree"]);
  });

  since("2.1.242")("a result counts the prompts of a human that wait behind it", async () => {
    await using session = startReal(options());
    session.send(prompt("AFTER ninth: one"));
    await standIn.api.request(({ userText }) => userText.startsWith("AFTER ninth"));
    // Prompts that do not say where they come from are queued too, but are not counted.
    session.send(prompt("two"), { ...prompt("three"), origin: { kind: "human" } }, readSoFar());
    await session.next(({ type }) => type === "control_response");
    standIn.api.open("ninth");
    const results = (await session.end()).lines.filter(isResult);
    expect(results.at(0)).toHaveProperty("queued_turn_count", 1);
    expect(results.at(-1)).toHaveProperty("queued_turn_count", 0);
  });

  since("2.1.203")(
    "the end of input waits for a subagent, for ten minutes or as long as it is set",
    async () => {
      const ceiling = { CLAUDE_CODE_PRINT_BG_WAIT_CEILING_MS: "1" };
      await using patient = startReal(options());
      patient.send(delegated("eighth"));
      await patient.next(isResult);
      const ended = patient.end();
      await using hasty = startReal(options(ceiling));
      hasty.send(delegated("never"));
      await hasty.next(isResult);
      expect(await hasty.end()).toMatchObject({
        exitCode: 0,
        stderr: expect.stringContaining("Background tasks still running"),
        lines: expect.arrayContaining([
          expect.objectContaining({ subtype: "task_notification", status: "stopped" }),
        ]),
      });
      standIn.api.open("eighth");
      expect((await ended).lines.filter(isResult)).toHaveLength(2);
    },
  );

  since("2.1.309")("what a subagent cost behind the first result is in the next one's own cost", async () => {
    await using session = startReal(options());
    session.send(delegated("seventh"));
    await session.next(isResult);
    standIn.api.open("seventh");
    const total = Number((await session.next(isResult))["total_cost_usd"]);
    const price = Number(resultOf(await runReal(options(), "hello"))["total_cost_usd"]);
    expect(total / price).toBeCloseTo(4);
  });
});

const isNotification = ({ subtype }: Line) => subtype === "task_notification";
const isTaskList = ({ subtype }: Line) => subtype === "background_tasks_changed";

/** A control request, whose answer shows that everything before it was read. */
function readSoFar(): object {
  return { type: "control_request", request_id: "read", request: { subtype: "mcp_status" } };
}
