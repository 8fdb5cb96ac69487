import { expect, test } from "bun:test";
import { appendFileSync, writeFileSync } from "node:fs";
import type { SessionProcess } from "../../src/claude/session.ts";
import { Sweeper } from "../../src/claude/sweep.ts";
import { TranscriptReader } from "../../src/claude/transcript.ts";
import { RunningAttempt, type TranscriptDelta } from "../../src/engine/attempt/attempt.ts";
import { sessionOf } from "../../src/engine/attempt/local-host.ts";
import { sessionOptions } from "../../src/model/options.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import { Home } from "../harness.ts";
import { throttle } from "./messages.ts";

const refused = `${JSON.stringify(throttle)}\n`;

test("what an adopted session was refused before is no news, and what it is refused from now on is", async () => {
  await using home = new Home();
  const transcript = home.file("transcript.ndjson");
  writeFileSync(transcript, refused.repeat(3));
  const heard: TranscriptDelta[] = [];
  const session: SessionProcess = {
    identity: ownIdentity(),
    marker: "m",
    isOurs: false,
    write: () => undefined,
    interrupt: () => undefined,
    closeInput: () => undefined,
    hadPidUntil: () => undefined,
    exited: new Promise(() => undefined),
  };
  using reader = new TranscriptReader(transcript);
  const around = { sweeper: new Sweeper(), members: () => [], gone: () => undefined };
  const attempt = new RunningAttempt({
    host: { canResume: () => false },
    session: { ...sessionOf(session, around), output: reader },
    task: "do it",
    options: sessionOptions.parse({}),
    stderr: home.file("stderr.txt"),
    startedAt: Date.now() - 3_600_000,
    adopted: true,
    workingDirectory: home.work,
    progressed: (delta) => heard.push(delta),
  });
  attempt.readTranscript();
  expect(heard).toEqual([]);
  appendFileSync(transcript, refused);
  attempt.readTranscript();
  expect(heard).toMatchObject([{ throttles: 1 }]);
});
