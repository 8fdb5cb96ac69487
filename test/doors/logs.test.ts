// `logs --follow`: a session as it goes on, across its attempts.
import { expect, test } from "bun:test";
import { appendFileSync } from "node:fs";
import { describeNeeding } from "../facilities.ts";
import { failed, gone, Inside, type TestBatch } from "../inside.ts";
import { Command } from "./own-terminal.ts";

const said = (text: string) =>
  `${JSON.stringify({ type: "assistant", parent_tool_use_id: null, message: { content: [{ type: "text", text }] } })}\n`;

/** The next attempt of a task, with a transcript of its own. */
function startAgain(inside: Inside, batch: TestBatch, attempt: number): string {
  const transcript = inside.write(`again-${attempt}.ndjson`, "");
  batch.append({
    type: "attempt-started",
    task: 1,
    attempt,
    identity: gone,
    sessionId: `session-${attempt}`,
    transcript,
    resumes: true,
  });
  return transcript;
}

const endOf = (attempt: number) =>
  ({
    type: "attempt-ended",
    task: 1,
    attempt,
    outcome: { kind: "succeeded", length: 3, offset: 0 },
  }) as const;

describeNeeding("Linux")("logs --follow", () => {
  test("waits for a start, prints what is said as it comes, goes on with the next attempt, and ends with the task", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: 2 });
    await using command = new Command(inside, ["logs", batch.id, "1", "-f"], { isPiped: true });
    await command.terminal.shows("Task 1 waits for its start. Its session is shown as soon as it runs.");
    inside.write(`${batch.id}-1.ndjson`, "");
    batch.start(1);
    await command.prints("\n> task 1\n");
    appendFileSync(batch.transcript(1), said("Let me see"));
    await command.prints("Let me see");
    batch.append(
      { type: "attempt-ended", task: 1, attempt: 1, outcome: failed },
      { type: "retry-requested", tasks: [1] },
    );
    await command.prints("\nTask 1: queued.\n");
    const transcript = startAgain(inside, batch, 2);
    await command.prints(
      `attempt 2, continues the conversation of the previous attempt\nSession session-2\n`,
    );
    appendFileSync(transcript, said("Once more"));
    await command.prints("Once more");
    batch.append(endOf(2));
    expect(await command.ended).toBe(0);
    expect(command.out).toEndWith("\nTask 1: succeeded.\n");
    expect(command.out.match(/> task 1/g)).toHaveLength(1);
    expect(command.out.match(/Let me see/g)).toHaveLength(1);
  });

  test("of one attempt ends with that, and of a later one waits for it", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context());
    inside.write(`${batch.id}-1.ndjson`, said("first"));
    batch
      .start(1)
      .append(
        { type: "attempt-ended", task: 1, attempt: 1, outcome: failed },
        { type: "retry-requested", tasks: [1] },
      );
    await using first = new Command(inside, ["logs", batch.id, "1", "-f", "--attempt", "1"], {
      isPiped: true,
    });
    expect(await first.ended).toBe(0);
    expect(first.out).toContain("first");
    await first.terminal.shows("Task 1 waits for its next attempt.");
  });

  test("with --json prints the lines of the transcript alone", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context());
    inside.write(`${batch.id}-1.ndjson`, said("first"));
    batch.start(1);
    await using command = new Command(inside, ["logs", batch.id, "1", "-f", "--json"], { isPiped: true });
    await command.prints("first");
    appendFileSync(batch.transcript(1), said("second"));
    await command.prints("second");
    batch.append(endOf(1));
    expect(await command.ended).toBe(0);
    expect(command.out).toBe(`${said("first")}${said("second")}`);
  });

  test("of a task that was cancelled before it started says so", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context());
    await using command = new Command(inside, ["logs", batch.id, "1", "-f"], { isPiped: true });
    await command.terminal.shows("waits for its start");
    batch.append({ type: "cancel-requested", by: "user" }).finish();
    expect(await command.ended).toBe(0);
    await command.terminal.shows(/Task 1 has no session: it is cancelled/);
    expect(command.out).toBe("");
  });

  test("of a transcript that has gone fails", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context()).start(1);
    await using command = new Command(inside, ["logs", batch.id, "1", "-f"], { isPiped: true });
    expect(await command.ended).toBe(1);
    await command.terminal.shows("no longer exists.");
  });
});
