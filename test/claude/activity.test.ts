// What a session is doing, and what goes on beside its turn.
import { describe, expect, test } from "bun:test";
import { activityOf, answered, blockText } from "../../src/claude/activity.ts";
import {
  applyBackground,
  type Background,
  newBackground,
  openAgents,
  stoppedAgent,
} from "../../src/claude/background.ts";
import { beginOfString, endOfString } from "../../src/claude/json-scan.ts";
import type { Message } from "../../src/claude/message.ts";
import { type Answer, newReading, type Reading } from "../../src/claude/reading.ts";
import { nativePath } from "../native-path.ts";
import { resultMessage } from "./result-message.ts";

describe("a block of a message", () => {
  test.each([
    [{ type: "text", text: "two\n lines " }, "two lines"],
    [{ type: "text" }, undefined],
    [{ type: "thinking" }, "thinking"],
    [{ type: "image" }, undefined],
    [{ type: "tool_use", name: "Bash", input: { description: "lists", command: "ls" } }, "Bash ls"],
    [{ type: "tool_use", name: "Read", input: { limit: 3, file_path: "/a" } }, "Read /a"],
    [{ type: "tool_use", name: "Other", input: { n: 1, what: "this" } }, "Other this"],
    [{ type: "tool_use", name: "Other", input: { n: 1 } }, "Other"],
    [{ type: "tool_use", name: "Other", input: null }, "Other"],
    [{ type: "tool_use", input: { command: 1, url: "u" } }, "tool u"],
  ])("%o shows %p", (block, text) => {
    expect(blockText(block, undefined)).toBe(text);
  });

  test("shows paths in the working directory from there, and no others", () => {
    const read = (file_path: string) =>
      blockText({ type: "tool_use", name: "Read", input: { file_path } }, "/home/me/shop");
    expect(read("/home/me/shop/src/a.ts")).toBe(`Read ${nativePath("src/a.ts")}`);
    expect(read("/home/me/shopping/a.ts")).toBe("Read /home/me/shopping/a.ts");
    const command = "/home/me/shop/bin/check all";
    expect(blockText({ type: "tool_use", name: "Bash", input: { command } }, "/home/me/shop")).toBe(
      `Bash ${command}`,
    );
  });

  test("is cut at 120 characters", () => {
    expect(blockText({ type: "text", text: "x".repeat(120) }, undefined)).toBe("x".repeat(120));
    expect(blockText({ type: "text", text: "x".repeat(121) }, undefined)).toBe(`${"x".repeat(119)}…`);
  });
});

const listed = (...tasks: Extract<Message, { kind: "background" }>["tasks"]) =>
  ({ kind: "background", tasks }) as const;
const agent = (id: string, description = `look at ${id}`) => ({
  task_id: id,
  task_type: "local_agent",
  description,
});
const command = (id: string) => ({ task_id: id, task_type: "local_bash", description: `run ${id}` });
type Change = Extract<Message, { kind: "task" }>["change"];
const changed = (change: Omit<Change, "type">) =>
  ({ kind: "task", change: { type: "system", ...change } }) as const;

function backgroundAfter(...messages: Parameters<typeof applyBackground>[1][]): Background {
  const background = newBackground();
  for (const message of messages) applyBackground(background, message);
  return background;
}

describe("background work", () => {
  test("is what the last list has, without what is not the session's own", () => {
    const { open, seen, isListed } = backgroundAfter(
      listed(agent("a"), command("b")),
      listed(command("b"), { ...agent("c"), ambient: true }, { ...agent("d"), off_host: true }),
    );
    expect([...open.values()]).toEqual([{ id: "b", kind: "command", description: "run b" }]);
    expect([...seen.keys()]).toEqual(["a", "b"]);
    expect(isListed).toBe(true);
  });

  test("without lists is what began and has not ended", () => {
    const background = backgroundAfter(
      changed({ subtype: "task_started", ...agent("a") }),
      changed({ subtype: "task_started", ...command("b") }),
      changed({ subtype: "task_started", ...agent("front"), is_backgrounded: false }),
      changed({ subtype: "task_started", ...agent("ambient"), ambient: true }),
      changed({ subtype: "task_updated", task_id: "b", patch: { status: "running" } }),
      changed({ subtype: "task_updated", task_id: "b", status: "pending" }),
    );
    expect([...background.open.keys()]).toEqual(["a", "b"]);
    applyBackground(background, changed({ subtype: "task_notification", task_id: "a", status: "completed" }));
    expect([...background.open.keys()]).toEqual(["b"]);
    applyBackground(
      background,
      changed({ subtype: "task_updated", task_id: "b", patch: { status: "failed" } }),
    );
    expect(background.open.size).toBe(0);
  });

  test("is decided by the lists once there is one", () => {
    const { open } = backgroundAfter(
      listed(command("b")),
      changed({ subtype: "task_started", ...agent("a") }),
    );
    expect([...open.keys()]).toEqual(["b"]);
  });

  test("without a description is called by its kind", () => {
    const { open } = backgroundAfter(listed({ task_id: "a", task_type: "local_workflow" }, { task_id: "b" }));
    expect([...open.values()].map(({ kind, description }) => [kind, description])).toEqual([
      ["agent", "agent"],
      ["command", "command"],
    ]);
  });

  test("an agent that was stopped is told from one that ended, and from a command", () => {
    const background = backgroundAfter(listed(agent("a"), command("b")), listed());
    const stopped = (change: Pick<Change, "task_id" | "status" | "patch">) =>
      stoppedAgent(background, { type: "system", subtype: "task_updated", ...change });
    expect(stopped({ task_id: "a", status: "stopped" })?.id).toBe("a");
    expect(stopped({ task_id: "a", patch: { status: "killed" } })?.id).toBe("a");
    expect(stopped({ task_id: "a", status: "completed" })).toBeUndefined();
    expect(stopped({ task_id: "b", status: "stopped" })).toBeUndefined();
    expect(stopped({ task_id: "z", status: "stopped" })).toBeUndefined();
  });
});

describe("the activity of a session", () => {
  const answer: Answer = { result: resultMessage({}), offset: 0, textLength: 1 };
  const reading = (more: Partial<Reading>): Reading => ({ ...newReading(), activity: "Read a", ...more });

  test("is what it does, until it has answered and waits for something", () => {
    const background = backgroundAfter(listed(agent("a")));
    expect(activityOf(reading({ background }))).toBe("Read a");
    expect(activityOf(reading({ background, answer, turnIsOpen: true }))).toBe("Read a");
    expect(activityOf(reading({ answer, turnIsOpen: false }))).toBe("Read a");
  });

  test("names the agents that it waits for, and commands only where no agent is open", () => {
    const waits = (background: Background, activity = answered) =>
      activityOf(reading({ background, answer, turnIsOpen: false, activity }));
    expect(waits(backgroundAfter(listed(agent("a"), command("b"))))).toBe(
      "waiting for a subagent: look at a",
    );
    expect(waits(backgroundAfter(listed(agent("a"), agent("c"))))).toBe(
      "waiting for 2 subagents: look at a, look at c",
    );
    expect(waits(backgroundAfter(listed(command("b"))))).toBe("waiting for a background command: run b");
    expect(waits(backgroundAfter(listed(command("b"))), "Bash ls")).toBe(
      "waiting for a background command: run b · Bash ls",
    );
    expect(openAgents(backgroundAfter(listed(agent("a"), command("b")))).map(({ id }) => id)).toEqual(["a"]);
  });
});

describe("a string in JSON that is cut off", () => {
  test("is found in the outermost object alone", () => {
    const text =
      '{"type":"x","inner":{"result":"no"},"list":[{"result":"no"}],"s":"\\"result\\":\\"","result":"yes';
    expect(text.slice(beginOfString(text, "result"))).toBe("yes");
  });

  test("is not found where it is not, or stands behind one that is cut off", () => {
    expect(beginOfString('{"a":"b"}', "result")).toBeUndefined();
    expect(beginOfString('{"a":"b', "result")).toBeUndefined();
    expect(beginOfString('{"a":{"result":"x"}', "result")).toBeUndefined();
  });

  test("ends at the first quote without a backslash", () => {
    expect(endOfString('a\\"b"c', 0)).toBe(4);
    expect(endOfString('a\\\\"', 0)).toBe(3);
    expect(endOfString("abc", 0)).toBeUndefined();
    expect(endOfString('"a"', 1)).toBe(2);
  });
});
