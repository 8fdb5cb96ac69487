// One session from its prompt to its outcome, with a transcript that is written by hand.
import { describe, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { Clearing } from "../../src/claude/clearing.ts";
import { conversationFile } from "../../src/claude/conversation.ts";
import type { Exit } from "../../src/claude/outcome.ts";
import type { SessionProcess } from "../../src/claude/session.ts";
import { Sweeper } from "../../src/claude/sweep.ts";
import { TranscriptReader } from "../../src/claude/transcript.ts";
import { RunningAttempt, type TranscriptDelta } from "../../src/engine/attempt/attempt.ts";
import { sessionOf } from "../../src/engine/attempt/local-host.ts";
import { type SessionOptionsInput, sessionOptions } from "../../src/model/options.ts";
import { gone, Inside } from "../inside.ts";
import { HandClock } from "./hand-clock.ts";
import { init, result, said } from "./messages.ts";

const initialized = (agents?: string[]) => ({
  type: "control_response",
  response: {
    subtype: "success",
    request_id: "begin",
    response: agents ? { agents: agents.map((name) => ({ name })) } : {},
  },
});
const background = (...open: string[]) => ({
  type: "system",
  subtype: "background_tasks_changed",
  tasks: open.map((task_id) => ({ task_id, task_type: "local_bash", description: task_id })),
});

interface Options {
  options?: SessionOptionsInput;
  adopted?: boolean;
  continues?: string;
  startedAt?: number;
  /** Whether its process may run another task. */
  isReused?: boolean;
}

/** A session without a process: what it is given is noted, and it ends when the test says so. */
function attemptIn(
  inside: Inside,
  { options = {}, adopted = false, continues, startedAt = Date.now(), isReused = false }: Options = {},
) {
  const given: string[] = [];
  const exit = Promise.withResolvers<Exit>();
  const session: SessionProcess = {
    identity: gone,
    marker: "m",
    isOurs: true,
    write: (line) =>
      given.push(
        line.includes("/clear")
          ? "clear"
          : line.includes('"user"')
            ? "prompt"
            : line.includes("stop_task")
              ? "stop"
              : line,
      ),
    interrupt: () => given.push("interrupt"),
    closeInput: () => given.push("close"),
    hadPidUntil: () => undefined,
    exited: exit.promise,
  };
  const transcript = inside.write("t.ndjson", "");
  const heard: TranscriptDelta[] = [];
  const around = { sweeper: new Sweeper(), members: () => [], gone: () => undefined };
  const environment = { CLAUDE_CONFIG_DIR: inside.file("claude") };
  let clearing: Clearing | undefined;
  const clear = (output: TranscriptReader) => {
    const { reading, end } = output;
    if (!reading.began) return undefined;
    clearing = new Clearing(session, { transcript, reading, end, began: reading.began });
    return clearing;
  };
  const output = new TranscriptReader(transcript);
  const attempt = new RunningAttempt({
    host: { canResume: (id, directory) => conversationFile(id, directory, environment) !== undefined },
    session: { ...sessionOf(session, around), output },
    task: "do it",
    options: sessionOptions.parse(options),
    stderr: inside.write("t.stderr.txt", "some words\n"),
    startedAt,
    adopted,
    continues,
    workingDirectory: inside.work,
    progressed: (delta) => heard.push(delta),
    ...(isReused ? { clear: () => clear(output) } : {}),
  });
  const says = (...messages: object[]) => {
    appendFileSync(transcript, messages.map((message) => `${JSON.stringify(message)}\n`).join(""));
    attempt.readTranscript();
  };
  const ends = async (how: Exit = { code: 0 }) => {
    exit.resolve(how);
    return attempt.ended();
  };
  return { attempt, given, heard, says, ends, transcript, cleared: () => clearing?.ended };
}

describe("a session", () => {
  test("is asked, closed when it has answered, and read to its end", async () => {
    using inside = new Inside();
    const { attempt, given, heard, says, ends } = attemptIn(inside);
    attempt.prompt("do it");
    expect(given).toEqual(["prompt"]);
    says(init, said("Let me see"));
    expect(given).toEqual(["prompt"]);
    says(result("Done"));
    expect(given).toEqual(["prompt", "close"]);
    attempt.readTranscript();
    attempt.checkClocks();
    expect(given).toEqual(["prompt", "close"]);
    expect(heard).toMatchObject([
      { isReady: true, replies: 1, throttles: 0, loginRefusals: 0, failed: undefined },
      { isReady: true, replies: 0 },
    ]);
    expect(await ends()).toMatchObject({
      outcome: { kind: "succeeded", length: 4 },
      usage: { costUsd: 0.5, numTurns: 2 },
      leaked: [],
      sessionId: "s",
      model: "opus-4",
      resumable: false,
      remarks: [],
      text: "Done",
      lastText: "Let me see",
    });
  });

  test("that has gone without an answer has crashed, and can be continued where it was saved", async () => {
    using inside = new Inside();
    const { attempt, says, ends } = attemptIn(inside);
    attempt.prompt("do it");
    says(init, said("Let me see"));
    const folder = inside.file(`claude/projects/${inside.work.replaceAll(/[^A-Za-z0-9]/g, "-")}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}/s.jsonl`, "{}\n");
    const end = await ends({ code: 3 });
    expect(end).toMatchObject({
      outcome: { kind: "crashed", exitCode: 3, stderrTail: "some words\n" },
      resumable: true,
    });
    expect(end).not.toHaveProperty("unsaved");
    expect(end).not.toHaveProperty("text");
  });

  test("that said nothing has no conversation, unless it continued one", async () => {
    using inside = new Inside();
    const folder = inside.file(`claude/projects/${inside.work.replaceAll(/[^A-Za-z0-9]/g, "-")}`);
    mkdirSync(folder, { recursive: true });
    for (const name of ["s", "before"]) writeFileSync(`${folder}/${name}.jsonl`, "{}\n");
    const alone = attemptIn(inside);
    alone.says(init);
    expect(await alone.ends({ code: 1 })).toMatchObject({ resumable: false });
    const continued = attemptIn(inside, { continues: "before" });
    continued.says(init);
    expect(await continued.ends({ code: 1 })).toMatchObject({ resumable: true });
  });

  test("whose conversation was refused before it said anything cannot be continued; of its own, it can", async () => {
    using inside = new Inside();
    const folder = inside.file(`claude/projects/${inside.work.replaceAll(/[^A-Za-z0-9]/g, "-")}`);
    mkdirSync(folder, { recursive: true });
    for (const name of ["s", "before"]) writeFileSync(`${folder}/${name}.jsonl`, "{}\n");
    const refused = result("Prompt is too long", { is_error: true, terminal_reason: "prompt_too_long" });
    const continued = attemptIn(inside, { continues: "before" });
    continued.says(init, refused);
    expect(await continued.ends({ code: 1 })).toMatchObject({
      outcome: { kind: "failed", reason: "prompt-too-long" },
      resumable: false,
    });
    const replied = attemptIn(inside, { continues: "before" });
    replied.says(init, said("x"), refused);
    expect(await replied.ends({ code: 1 })).toMatchObject({ resumable: true });
  });

  test("waits for what runs in the background, and then stops it", async () => {
    using inside = new Inside();
    const { says, given, ends } = attemptIn(inside, { options: { backgroundWaitSeconds: 0 } });
    says(init, background("b1"), said("x"), result("Done"));
    expect(given).toEqual(["stop", "close"]);
    const { remarks } = await ends();
    expect(remarks.join(" ")).toContain("b1");
    using other = new Inside();
    const patient = attemptIn(other);
    patient.says(init, background("b1"), said("x"), result("Done"));
    expect(patient.given).toEqual([]);
    patient.says(background());
    expect(patient.given).toEqual(["close"]);
  });
});

test("the answer to `initialize` shows that a session is ready, and is no first output", async () => {
  using inside = new Inside();
  using clock = new HandClock();
  const { attempt, heard, says, ends } = attemptIn(inside, { options: { firstEventTimeoutSeconds: 10 } });
  attempt.prompt("do it");
  says(initialized());
  expect(heard).toMatchObject([{ isReady: true, replies: 0 }]);
  clock.now += 11_000;
  attempt.checkClocks();
  expect(await ends()).toMatchObject({ outcome: { kind: "timed-out", clock: "first-event" } });
});

describe("a session with an agent", () => {
  const asked = (agents: string[] | undefined) => {
    const inside = new Inside();
    const one = attemptIn(inside, { options: { agent: "reviewer" } });
    one.attempt.prompt("do it");
    const before = [...one.given];
    one.says(initialized(agents));
    return { inside, before, ...one };
  };

  test("is asked once it has said which agents there are", () => {
    const { inside, before, given } = asked(["reviewer", "other"]);
    using _ = inside;
    expect(before).toEqual([]);
    expect(given).toEqual(["prompt"]);
  });

  test("is asked at once where it has said so before its task was known", () => {
    using inside = new Inside();
    const one = attemptIn(inside, { options: { agent: "reviewer" } });
    one.says(initialized(["reviewer"]));
    expect(one.given).toEqual([]);
    one.attempt.prompt("do it");
    expect(one.given).toEqual(["prompt"]);
  });

  test("is believed to have it where it does not say", () => {
    const { inside, given } = asked(undefined);
    using _ = inside;
    expect(given).toEqual(["prompt"]);
  });

  test("that it does not have is ended without a prompt", async () => {
    const { inside, given, ends } = asked(["other"]);
    using _ = inside;
    expect(given).toEqual(["interrupt"]);
    await Promise.resolve();
    expect(given).toContain("close");
    expect(await ends()).toMatchObject({ outcome: { kind: "failed", reason: "agent" } });
  });
});

describe("an end before its time", () => {
  test("keeps its first reason, and closes the input once the interrupted turn has its result", async () => {
    using inside = new Inside();
    const { attempt, given, says, ends } = attemptIn(inside);
    attempt.prompt("do it");
    says(init, said("Let me see"));
    attempt.end({ kind: "cancelled", by: "user" });
    attempt.end({ kind: "cancelled", by: "budget" });
    await Promise.resolve();
    expect(given).toEqual(["prompt", "interrupt"]);
    says(result("", { subtype: "error_during_execution", is_error: true }));
    await Promise.resolve();
    expect(given).toContain("close");
    expect(await ends({ code: 1 })).toMatchObject({ outcome: { kind: "cancelled", by: "user" } });
  });

  test("closes the input at once of one that was not asked", async () => {
    using inside = new Inside();
    const { attempt, given, ends } = attemptIn(inside);
    attempt.evict();
    await Promise.resolve();
    expect(given).toEqual(["interrupt", "close"]);
    expect(await ends({ signal: "SIGKILL" })).toMatchObject({ outcome: { kind: "evicted" } });
  });

  test("comes by the clocks, unless the transcript has the last word", async () => {
    using inside = new Inside();
    const late = { startedAt: Date.now() - 600_000, options: { timeoutSeconds: 300 } };
    const { attempt, given, says, ends } = attemptIn(inside, late);
    says(init, said("x"));
    attempt.checkClocks();
    expect(given).toEqual(["interrupt"]);
    expect(await ends({ code: 1 })).toMatchObject({ outcome: { kind: "timed-out", clock: "wall" } });
    using other = new Inside();
    const adopted = attemptIn(other, { ...late, adopted: true });
    appendFileSync(
      other.file("t.ndjson"),
      [init, said("x"), result("Done")].map((one) => `${JSON.stringify(one)}\n`).join(""),
    );
    adopted.attempt.checkClocks();
    expect(adopted.given).toEqual(["close"]);
    expect(await adopted.ends()).toMatchObject({ outcome: { kind: "succeeded" } });
  });
});

test("what an adopted session said before is no news", async () => {
  using inside = new Inside();
  const { heard, says, attempt, ends } = attemptIn(inside, { adopted: true });
  says(init, said("x"));
  expect(heard).toEqual([]);
  says(said("y"));
  expect(heard).toMatchObject([{ isReady: true, replies: 1 }]);
  expect(attempt.activity).toBeString();
  // What came with its end is news as well.
  const end = await ends({ code: 1 });
  expect(end.lastText).toBe("y");
});

test("what a session says with its last breath is told, though nobody had looked before", async () => {
  using inside = new Inside();
  const own = attemptIn(inside);
  appendFileSync(inside.file("t.ndjson"), `${JSON.stringify(init)}\n${JSON.stringify(said("x"))}\n`);
  await own.ends({ code: 1 });
  expect(own.heard).toMatchObject([{ isReady: true, replies: 1 }]);
  // Of one that another runner started, it may be of long ago.
  using other = new Inside();
  const adopted = attemptIn(other, { adopted: true });
  appendFileSync(other.file("t.ndjson"), `${JSON.stringify(init)}\n`);
  await adopted.ends({ code: 1 });
  expect(adopted.heard).toEqual([]);
});

test("what an adopted session says after the first look is told at its end too", async () => {
  using inside = new Inside();
  const { heard, says, ends } = attemptIn(inside, { adopted: true });
  says(init);
  appendFileSync(inside.file("t.ndjson"), `${JSON.stringify(said("x"))}\n`);
  await ends({ code: 1 });
  expect(heard).toMatchObject([{ isReady: true, replies: 1 }]);
});

test("a failed result is told once", () => {
  using inside = new Inside();
  const { heard, says } = attemptIn(inside);
  says(init, result("Invalid API key · Please run /login", { is_error: true }));
  says(said("x"));
  expect(heard[0]?.failed).toMatchObject({ kind: "failed", reason: "execution" });
  expect(heard[1]?.failed).toBeUndefined();
});

describe("a session whose process may run another task", () => {
  const next = { session_id: "two" };
  const reset = { type: "conversation_reset", session_id: "s" };
  const cleared = result("", { ...next, num_turns: 0, total_cost_usd: 0 });

  test("forgets its conversation instead of ending, and its attempt is over then", async () => {
    using inside = new Inside();
    const { attempt, given, says, transcript, cleared: done } = attemptIn(inside, { isReused: true });
    attempt.prompt("do it");
    says(init, said("Let me see"), result("Done"));
    expect(given).toEqual(["prompt", "clear"]);
    const ended = attempt.ended();
    const end = Bun.file(transcript).size;
    attempt.checkClocks();
    says(reset, { ...init, ...next }, cleared);
    // As soon as it is cleared, another attempt may be asked.
    says({ ...init, ...next }, said("Of another"), result("Another", next));
    expect(await done()).toMatchObject({ sessionId: "two" });
    expect(given).toEqual(["prompt", "clear"]);
    expect(await ended).toMatchObject({
      outcome: { kind: "succeeded", length: 4 },
      usage: { costUsd: 0.5, numTurns: 2 },
      leaked: [],
      sessionId: "s",
      text: "Done",
      lastText: "Let me see",
      transcriptEnd: end,
    });
  });

  test("ends as any other if it does not forget it, or dies meanwhile", async () => {
    using inside = new Inside();
    const one = attemptIn(inside, { isReused: true });
    one.attempt.prompt("do it");
    one.says(init, result("Done"));
    one.says(reset, { ...init, ...next, permissionMode: "plan" }, cleared);
    expect(await one.cleared()).toBeUndefined();
    expect(one.given).toEqual(["prompt", "clear", "close"]);
    expect(await one.ends()).toMatchObject({ outcome: { kind: "succeeded" }, text: "Done" });
    using other = new Inside();
    const dead = attemptIn(other, { isReused: true });
    dead.attempt.prompt("do it");
    dead.says(init, result("Done"), reset);
    expect(await dead.ends({ signal: "SIGKILL" })).toMatchObject({
      outcome: { kind: "succeeded" },
      text: "Done",
    });
  });

  test("pays for what it does instead, but does not answer with that", async () => {
    using inside = new Inside();
    const { attempt, given, says, ends, cleared: done } = attemptIn(inside, { isReused: true });
    attempt.prompt("do it");
    says(init, result("Done"));
    says(init, said("A command of the user's"));
    says(result("Cleaned up", { total_cost_usd: 0.75, num_turns: 3 }));
    expect(await done()).toBeUndefined();
    expect(given).toEqual(["prompt", "clear", "close"]);
    expect(await ends()).toMatchObject({
      outcome: { kind: "succeeded", length: 4 },
      usage: { costUsd: 0.75, numTurns: 2 },
      text: "Done",
    });
  });

  test("ends at once if its attempt is ended meanwhile", async () => {
    using inside = new Inside();
    const { attempt, given, says, ends } = attemptIn(inside, { isReused: true });
    attempt.prompt("do it");
    says(init, result("Done"));
    attempt.end({ kind: "cancelled", by: "user" });
    says(reset, { ...init, ...next }, cleared);
    const end = await ends();
    expect(given.slice(0, 3)).toEqual(["prompt", "clear", "interrupt"]);
    expect(given).toContain("close");
    expect(end.outcome.kind).toBe("succeeded");
  });

  test("that another runner started is only closed, and what followed its answer is not its own", async () => {
    using inside = new Inside();
    const { given, says, ends, transcript } = attemptIn(inside, { isReused: true, adopted: true });
    says(init, result("Done"));
    const end = Bun.file(transcript).size;
    says(reset, { ...init, ...next }, cleared);
    expect(given).toEqual(["close"]);
    expect(await ends()).toMatchObject({
      outcome: { kind: "succeeded", length: 4 },
      text: "Done",
      transcriptEnd: end,
    });
  });
});
