// Whether another attempt can continue the conversation of one, and what is said where it cannot.
import { expect, test } from "bun:test";
import { isRefused, startsOver, whyStartedOver } from "../../src/engine/attempt/continuation.ts";
import { type SessionOptionsInput, sessionOptions } from "../../src/model/options.ts";
import type { FailureReason, Outcome } from "../../src/model/outcome.ts";
import { type Attempt, conversationHere } from "../../src/model/state.ts";

const failed = (reason: FailureReason): Outcome => ({ kind: "failed", reason, message: "no" });
const options = (given: SessionOptionsInput = {}) => sessionOptions.parse(given);

function attempt(more: Partial<Attempt>): Attempt {
  const identity = { boot: "b", namespace: "n", pid: 1, startTicks: "1" };
  return { number: 1, identity, sessionId: "s", transcript: "/t", startedAt: 0, resumes: false, ...more };
}

test("a conversation is of no use that is refused before Claude says anything", () => {
  for (const reason of ["request", "prompt-too-long", "conversation"] as const) {
    expect(isRefused(true, 0, failed(reason))).toBe(true);
    expect(isRefused(true, 1, failed(reason))).toBe(false);
    expect(isRefused(false, 0, failed(reason))).toBe(false);
  }
  // What may pass says nothing about the conversation.
  for (const reason of ["server-error", "overloaded", "auth", "usage-limit"] as const)
    expect(isRefused(true, 0, failed(reason))).toBe(false);
  expect(isRefused(true, 0, { kind: "crashed", stderrTail: "" })).toBe(false);
});

test("the task begins anew then, but not where its caller named the conversation", () => {
  const refused = attempt({ resumes: true, outcome: failed("request") });
  expect(startsOver(refused, options())).toBe(true);
  expect(startsOver({ ...refused, resumable: true }, options())).toBe(false);
  expect(startsOver({ ...refused, resumes: false }, options())).toBe(false);
  const named = { resumeSessionId: "theirs" };
  expect(startsOver(refused, options(named))).toBe(false);
  expect(startsOver(refused, options({ ...named, forkSession: true }))).toBe(true);
});

test("it is said, and from where", () => {
  const refused = attempt({ resumes: true, outcome: failed("request") });
  expect(whyStartedOver(refused, options())).toMatch(/could not be continued.*from its start/);
  expect(whyStartedOver(refused, options({ resumeSessionId: "theirs", forkSession: true }))).toContain(
    "`resumeSessionId`",
  );
  expect(whyStartedOver(refused, options({ resumeSessionId: "theirs" }))).toBeUndefined();
  const unsaved = attempt({ unsaved: true, outcome: { kind: "crashed", stderrTail: "" } });
  expect(whyStartedOver(unsaved, options())).toMatch(/not saved.*attempt 1/);
  expect(whyStartedOver({ ...unsaved, unsaved: false }, options())).toBeUndefined();
  expect(whyStartedOver(undefined, options())).toBeUndefined();
  const usage = { costUsd: 1, numTurns: 2, durationMs: 3 };
  const identity = { host: "box1", id: "s1" };
  const there = attempt({ identity, usage, outcome: { kind: "crashed", stderrTail: "" } });
  expect(whyStartedOver(there, options())).toMatch(/could not be continued on box1.*from its start/);
  // A copy of the files is gone with its attempt.
  const inCopy = { ...there, workingDirectory: "/state/far/h1/trees/t1" };
  expect(whyStartedOver(inCopy, options())).toMatch(/is on box1.*as `box1:\/path`.*from its start/);
  // It had said nothing yet.
  expect(whyStartedOver({ ...there, usage: { ...usage, numTurns: 0 } }, options())).toBeUndefined();
  // Nor is it offered to its user as one that is here.
  expect([conversationHere(there), conversationHere(unsaved)]).toEqual([undefined, "s"]);
});
