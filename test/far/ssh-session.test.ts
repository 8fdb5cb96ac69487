// A far session as its runner has it: what it takes of the transcript, and when it is as far as the machine.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { SshSession } from "../../src/engine/hosts/ssh-session.ts";
import type { ToKeeper } from "../../src/far/messages.ts";
import { testNeeding } from "../facilities.ts";
import { Inside } from "../inside.ts";

function sessionIn(transcript: string, more: { patienceMs?: number } = {}) {
  const said: ToKeeper[] = [];
  const line = {
    host: "box1",
    send: (message: ToKeeper) => void said.push(message),
    isCurrent: () => true,
    trouble: () => undefined,
    there: (text: string) => text,
    over: () => undefined,
  };
  const session = new SshSession(line, "one", {
    transcript,
    stderr: `${transcript}.err`,
    isNew: false,
    ...more,
  });
  return { session, said };
}

const bytes = (text: string) => new TextEncoder().encode(text);

testNeeding("Linux")("a full disk here makes a session ask for nothing until it has room again", () => {
  const { session, said } = sessionIn("/dev/full");
  session.resume();
  const before = said.length;
  for (let piece = 0; piece < 16; piece++) session.take(piece * 4, bytes("1234"));
  for (let beat = 0; beat < 3; beat++) session.beat();
  expect(said.slice(before)).toEqual([]);
  expect(session.bare().isCurrent?.()).toBe(false);
});

test("what was left out is asked for once a beat, however much comes behind it", () => {
  using inside = new Inside();
  const { session, said } = sessionIn(inside.file("transcript"));
  session.resume();
  const before = said.length;
  for (const from of [8, 12, 16]) session.take(from, bytes("1234"));
  expect(said.slice(before)).toEqual([]);
  session.beat();
  session.beat();
  expect(said.slice(before)).toEqual([{ type: "read", id: "one", from: 0 }]);
  session.take(0, bytes("1234"));
  expect(said.at(-1)).toEqual({ type: "got", id: "one", to: 4 });
});

test("a session is current only once all has come that was said while its machine was away", () => {
  using inside = new Inside();
  const { session } = sessionIn(inside.file("transcript"));
  const isCurrent = () => session.bare().isCurrent?.();
  session.resume();
  expect(isCurrent()).toBe(false);
  session.at(8, false);
  expect(isCurrent()).toBe(false);
  session.take(0, bytes("12345678"));
  expect(isCurrent()).toBe(true);
  // The connection has ended meanwhile, and so has the session.
  session.resume();
  expect(isCurrent()).toBe(false);
  session.at(8, true);
  expect(isCurrent()).toBe(false);
  session.gone({ size: 8, exit: { code: 0 }, stderr: "" });
  expect(isCurrent()).toBe(true);
});

test("a session that was ended because nobody had it any more says so, and one that its machine lost does not", () => {
  using inside = new Inside();
  const [lapsed, given, lost] = ["a", "b", "c"].map((name) => sessionIn(inside.file(name)).session);
  lapsed?.gone({ size: 0, exit: {}, stderr: "", isLapsed: true });
  given?.giveUp("It is away.");
  lost?.lost("It knows nothing of it.");
  expect([lapsed, given, lost].map((one) => one?.bare().isLost?.())).toEqual([true, true, false]);
  // Of the others, the machine has said all that there was.
  expect([lapsed, given, lost].map((one) => one?.bare().isGivenUp?.())).toEqual([false, true, false]);
});

test("two runners that write the same part of a transcript write it once", () => {
  using inside = new Inside();
  const [one, other] = [sessionIn(inside.file("transcript")), sessionIn(inside.file("transcript"))];
  one.session.take(0, bytes("first\nsecond\n"));
  other.session.take(0, bytes("first\nsec"));
  expect(readFileSync(inside.file("transcript"), "utf8")).toBe("first\nsecond\n");
});

test("a machine that announces more than it sends is not waited for without end", async () => {
  using inside = new Inside();
  const { session } = sessionIn(inside.file("transcript"), { patienceMs: -1 });
  session.gone({ size: Number.MAX_SAFE_INTEGER, exit: { code: 0 }, stderr: "" });
  session.swept(Number.MAX_SAFE_INTEGER, []);
  session.beat();
  expect(await session.exited).toEqual({ code: 0 });
  expect(await session.end()).toEqual([]);
});
