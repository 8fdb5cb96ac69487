// When a session that has started gets its prompt: who proves the login, and what else ends the wait.
import { describe, expect, test } from "bun:test";
import type { Exit } from "../../src/claude/outcome.ts";
import { TranscriptReader } from "../../src/claude/transcript.ts";
import type { Session } from "../../src/engine/attempt/session-host.ts";
import { WaitingSession } from "../../src/engine/runner/waiting-session.ts";
import { LoginProof } from "../../src/engine/scheduler/login-proof.ts";
import type { Step } from "../../src/engine/scheduler/prefix-groups.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import { LoginProofs } from "../../src/store/login-proofs.ts";
import { Inside } from "../inside.ts";
import { HandClock } from "./hand-clock.ts";
import { introduction } from "./messages.ts";

const minuteMs = 60_000;
const noProof = { isProven: () => false, keep: () => undefined, lose: () => undefined };

/** The login of a batch, of which nothing is known unless `isProven`. */
const loginOf = (isProven = false) =>
  new LoginProof({ patienceMs: 60 * minuteMs, hasAnswered: isProven, proofs: noProof });

/** A session that waits, and what became of that. */
function waiting(inside: Inside, number: number, login: LoginProof, step: () => Step = () => "go") {
  inside.write(`${number}.ndjson`, "");
  const transcript = inside.file(`${number}.ndjson`);
  const exited = Promise.withResolvers<Exit>();
  const session: Session = {
    ref: ownIdentity(),
    isLost: () => state.isLost,
    output: new TranscriptReader(transcript),
    write: () => undefined,
    closeInput: () => undefined,
    exited: exited.promise,
    end: async () => [],
  };
  const reports: (string | undefined)[] = [];
  const state = { isMeant: true, ready: 0, givenBack: 0, isLost: false };
  const wait = new WaitingSession({
    number,
    session,
    isOwn: true,
    login,
    place: { step },
    isMeant: () => state.isMeant,
    ready: () => state.ready++,
    giveSlotBack: () => state.givenBack++,
    report: (because) => reports.push(because),
  });
  return { wait, reports, state, transcript, exit: () => exited.resolve({ code: 1 }) };
}

test("a session that its machine has lost before its prompt starts again, and nothing is asked", async () => {
  using inside = new Inside();
  const { wait, state, exit } = waiting(inside, 1, loginOf(), () => "wait");
  state.isLost = true;
  exit();
  expect(await wait.ended).toBe("start-again");
});

describe("of a batch whose login is not proven", () => {
  test("the first session gets its prompt, and the others when the API has answered it", async () => {
    using inside = new Inside();
    const login = loginOf();
    const [first, second] = [waiting(inside, 1, login).wait, waiting(inside, 2, login).wait];
    expect([first.isOver, second.isOver]).toEqual([true, false]);
    login.answered();
    second.look();
    expect(await second.ended).toBe("go");
  });

  test("the next one gets its prompt when the first has shown nothing, and no other one with it", () => {
    using inside = new Inside();
    const login = loginOf();
    const [, second, third] = [1, 2, 3].map((number) => waiting(inside, number, login).wait);
    login.ended(1);
    for (const one of [second, third]) one?.look();
    expect([second?.isOver, third?.isOver]).toEqual([true, false]);
  });

  test("one that would not be asked now proves nothing", () => {
    using inside = new Inside();
    const login = loginOf();
    const first = waiting(inside, 1, login, () => "wait").wait;
    const second = waiting(inside, 2, login).wait;
    expect([first.isOver, second.isOver]).toEqual([false, true]);
  });

  test("a wait is reported after two seconds, until it is over", () => {
    using inside = new Inside();
    using clock = new HandClock();
    const login = loginOf();
    waiting(inside, 1, login);
    const { wait, reports } = waiting(inside, 2, login);
    clock.now += 2_000;
    wait.look();
    expect(reports).toEqual([]);
    clock.now += 1;
    wait.look();
    expect(reports).toEqual([expect.stringContaining("proves that the login works")]);
    login.answered();
    wait.look();
    expect(reports.at(-1)).toBeUndefined();
  });
});

describe("a wait ends", () => {
  test("without a prompt once its task does not want it, is ended, or memory is short", async () => {
    using inside = new Inside();
    const login = loginOf(true);
    const [one, two, three] = [1, 2, 3].map((number) => waiting(inside, number, login, () => "wait"));
    if (one) one.state.isMeant = false;
    one?.wait.checkClocks();
    two?.wait.end();
    three?.wait.evict();
    expect(await Promise.all([one, two, three].map((each) => each?.wait.ended))).toEqual(
      Array(3).fill("give-up"),
    );
  });

  test("with its slot for another one, once, where fewer may run than do", async () => {
    using inside = new Inside();
    const login = loginOf(true);
    const [one, asked] = [waiting(inside, 1, login, () => "wait"), waiting(inside, 2, login)];
    for (const { wait } of [one, one, asked]) wait.giveBack();
    expect(await Promise.all([one.wait.ended, asked.wait.ended])).toEqual(["give-up", "go"]);
    expect([one.state.givenBack, asked.state.givenBack]).toEqual([1, 0]);
  });

  test("with the session, whose last words are then read like those of any attempt", async () => {
    using inside = new Inside();
    const { wait, exit } = waiting(inside, 1, loginOf(true), () => "wait");
    expect(wait.isOver).toBe(false);
    exit();
    expect(await wait.ended).toBe("go");
  });

  test("with another start, if the session must lead and cannot", async () => {
    using inside = new Inside();
    expect(await waiting(inside, 1, loginOf(true), () => "start-again").wait.ended).toBe("start-again");
  });
});

test("others may start as soon as a session that waits is ready", () => {
  using inside = new Inside();
  const { wait, state, transcript } = waiting(inside, 1, loginOf(true), () => "wait");
  wait.readTranscript();
  expect(state.ready).toBe(0);
  inside.write("1.ndjson", `${JSON.stringify(introduction)}\n`);
  expect(transcript).toBe(inside.file("1.ndjson"));
  wait.readTranscript();
  expect(state.ready).toBe(1);
});

test("a proof of another batch counts for one that waits", async () => {
  using inside = new Inside();
  const { store } = inside.context();
  const proofs = new LoginProofs(store.database, "a");
  const login = new LoginProof({ patienceMs: 60 * minuteMs, hasAnswered: false, proofs });
  waiting(inside, 1, login);
  const { wait } = waiting(inside, 2, login);
  expect(wait.isOver).toBe(false);
  proofs.keep(Date.now());
  wait.look();
  expect(await wait.ended).toBe("go");
});
