// Several runners with the holds of one account.
import { describe, expect, test } from "bun:test";
import { AccountHolds } from "../../src/engine/account/account-holds.ts";
import type { Outcome } from "../../src/model/outcome.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import { Holds } from "../../src/store/holds.ts";
import { Home } from "../harness.ts";

const minute = 60_000;
const day = 24 * 60 * minute;
const limited: Outcome = { kind: "failed", reason: "usage-limit", message: "You've hit your limit" };
const throttled: Outcome = { kind: "failed", reason: "rate-limit", message: "slow down" };
const dead = { ...ownIdentity(), startTicks: "0" };

const patience = (patienceMs: number) => ({ patienceMs, isAttended: true });

test("a batch that gives up leaves the hold in place for those that still wait, with one more try in vain", async () => {
  await using home = new Home();
  using store = home.store();
  const holds = new Holds(store.database, "a");
  const patient = new AccountHolds(holds, ownIdentity(), patience(day));
  const hasty = new AccountHolds(holds, ownIdentity(), patience(0));
  const start = Date.now();
  patient.ended({ number: 1, model: undefined, outcome: limited }, start);
  hasty.refresh(start);
  const due = start + 5 * minute;
  expect(hasty.claim(1, undefined, due)).toBe(true);
  expect(hasty.ended({ number: 1, model: undefined, outcome: limited }, due)).toMatchObject({
    kind: "given-up",
  });
  patient.refresh(due);
  expect(patient.stopping(undefined, due + 1_000)).toMatchObject({ tries: 1, until: due + 10 * minute });
});

test("a batch has its own patience, from when it began to wait, however long others have waited", async () => {
  await using home = new Home();
  using store = home.store();
  const holds = new Holds(store.database, "a");
  const start = Date.now();
  holds.place({ kind: "auth", model: "", since: start - day, until: start, because: "", tries: 9 });
  const late = new AccountHolds(holds, ownIdentity(), patience(60 * minute));
  const refused: Outcome = { kind: "failed", reason: "auth", message: "" };
  const tryAt = (now: number) => {
    expect(late.claim(1, undefined, now)).toBe(true);
    return late.ended({ number: 1, model: undefined, outcome: refused }, now).kind;
  };
  expect([1, 30, 59].map((minutes) => tryAt(start + minutes * minute))).toEqual(["held", "held", "held"]);
  expect(tryAt(start + 70 * minute)).toBe("given-up");
});

test("a hold that was tried by a session that the API throttled is tried again later, and not by the next one", async () => {
  await using home = new Home();
  using store = home.store();
  const holds = new Holds(store.database, "a");
  const batch = new AccountHolds(holds, ownIdentity(), patience(day));
  const start = Date.now();
  holds.place({ kind: "auth", model: "", since: start, until: start, because: "", tries: 0 });
  batch.refresh();
  expect(batch.claim(1, undefined, start)).toBe(true);
  batch.ended({ number: 1, model: undefined, outcome: throttled }, start);
  expect(batch.stopping(undefined, start)).toMatchObject({ tries: 1, until: start + 5_000, isProbed: false });
});

test("a refusal that comes while one session tries a hold leaves the try to it", async () => {
  await using home = new Home();
  using store = home.store();
  const holds = new Holds(store.database, "a");
  const start = Date.now();
  const hold = { kind: "auth", model: "", since: start, until: start, because: "", tries: 0 } as const;
  holds.place(hold);
  expect(holds.claimProbe(hold, ownIdentity(), start)).toBe(true);
  holds.place({ ...hold, tries: 1 });
  expect(holds.all()).toMatchObject([{ tries: 1, isProbed: true }]);
});

test("a clock that is set back makes no hold longer than it was: one session tries at once", async () => {
  await using home = new Home();
  using store = home.store();
  const batch = new AccountHolds(new Holds(store.database, "a"), ownIdentity(), patience(day));
  const now = Date.now();
  batch.ended({ number: 1, model: undefined, outcome: limited }, now + 10 * day);
  expect(batch.stopping(undefined, now)).toBeUndefined();
  expect(batch.claim(2, undefined, now)).toBe(true);
  batch.ended({ number: 2, model: undefined, outcome: limited }, now);
  expect(batch.stopping(undefined, now)).toBeDefined();
});

test("a session of a runner that died goes on trying its hold, and lifts it with an answer", async () => {
  await using home = new Home();
  using store = home.store();
  const holds = new Holds(store.database, "a");
  const start = Date.now();
  const hold = { kind: "auth", model: "", since: start, until: start, because: "", tries: 0 } as const;
  holds.place(hold);
  holds.claimProbe(hold, dead, start);
  store.database.run("UPDATE holds SET probed_at = ?", [start - minute]);
  const successor = new AccountHolds(holds, ownIdentity(), patience(day));
  // This one ran before the try began, so it tries nothing.
  successor.adopt(1, undefined, start - 2 * minute);
  expect(successor.stopping(undefined, start)).toBeUndefined();
  const beganAt = start - minute + 1;
  // The runner that took it over dies too.
  expect(holds.adoptProbe(hold, dead, beganAt)).toBe(true);
  successor.adopt(2, undefined, beganAt);
  expect(successor.stopping(undefined, start)).toMatchObject({ isProbed: true });
  expect(successor.claim(3, undefined, start)).toBe(false);
  successor.answered(2, start);
  expect(holds.all()).toEqual([]);
});

test("a batch that nobody attends tries a login at once, and once, and leaves the others their pauses", async () => {
  await using home = new Home();
  using store = home.store();
  const holds = new Holds(store.database, "a");
  const start = Date.now();
  const until = start + 10 * minute;
  const hold = { kind: "auth", model: "", since: start, until, because: "", tries: 5 } as const;
  holds.place(hold);
  const attended = new AccountHolds(holds, ownIdentity(), patience(day));
  const unattended = new AccountHolds(holds, ownIdentity(), { patienceMs: 0, isAttended: false });
  for (let beat = 1; beat <= 10; beat++) unattended.refresh(start + beat);
  attended.refresh(start + 11);
  expect(attended.stopping(undefined, start + 11)).toMatchObject({ until, isProbed: false });
  expect(attended.claim(1, undefined, start + 11)).toBe(false);
  expect(unattended.stopping(undefined, start + 11)).toBeUndefined();
  expect(unattended.claim(1, undefined, start + 11)).toBe(true);
  // The API is busy, which says nothing of the login; the next try is made when it is due.
  unattended.ended({ number: 1, model: undefined, outcome: throttled }, start + 12);
  expect(unattended.stopping(undefined, start + 13)).toMatchObject({ tries: 6, isProbed: false });
  expect(unattended.claim(2, undefined, start + 13)).toBe(false);
  const due = holds.all()[0]?.until ?? 0;
  expect(unattended.claim(2, undefined, due)).toBe(true);
  const refused: Outcome = { kind: "failed", reason: "auth", message: "" };
  expect(unattended.ended({ number: 2, model: undefined, outcome: refused }, due).kind).toBe("given-up");
  expect(holds.all()).toMatchObject([{ tries: 7 }]);
  expect(holds.all()[0]?.until).toBeGreaterThan(due);
});

test("a limit that ends by itself is waited for, whether somebody is there or not", async () => {
  await using home = new Home();
  using store = home.store();
  const holds = new Holds(store.database, "a");
  const unattended = new AccountHolds(holds, ownIdentity(), { patienceMs: day, isAttended: false });
  const now = Date.now();
  expect(unattended.ended({ number: 1, model: undefined, outcome: limited }, now).kind).toBe("held");
  // Nor is it tried before its time.
  expect(unattended.stopping(undefined, now + 1)).toBeDefined();
  expect(unattended.claim(2, undefined, now + 1)).toBe(false);
});

describe("a login that is refused", () => {
  const refused: Outcome = { kind: "failed", reason: "auth", message: "" };
  const crashed: Outcome = { kind: "crashed", stderrTail: "" };
  const start = Date.now();
  type Step = (batch: AccountHolds, at: (seconds: number) => number) => void;
  const answered =
    (number: number, seconds: number): Step =>
    (batch, at) =>
      batch.answered(number, at(seconds));
  const refuses =
    (number: number, seconds: number): Step =>
    (batch, at) =>
      batch.refused(number, at(seconds));
  const ended =
    (number: number, seconds: number): Step =>
    (batch, at) =>
      void batch.ended({ number, model: undefined, outcome: crashed }, at(seconds));

  const cases: [what: string, steps: Step[], kind: "held" | "goes-on"][] = [
    ["holds the account where nobody was answered", [refuses(1, 1)], "held"],
    ["holds it where others were answered before", [answered(2, 1), refuses(1, 2)], "held"],
    [
      "concerns its session alone where others were answered since",
      [refuses(1, 1), answered(2, 2)],
      "goes-on",
    ],
    ["does so counted from its first refusal", [refuses(1, 1), answered(2, 2), refuses(1, 3)], "goes-on"],
    ["also where those have ended", [refuses(1, 1), answered(2, 2), ended(2, 3)], "goes-on"],
    [
      "and where another one has ended since that was answered earlier",
      [answered(3, 0), refuses(1, 1), answered(2, 2), ended(2, 3), ended(3, 4)],
      "goes-on",
    ],
    ["but not where only it was answered itself", [refuses(1, 1), answered(1, 2)], "held"],
    [
      "but not where it was answered itself after others were",
      [refuses(1, 1), answered(2, 2), answered(1, 3)],
      "held",
    ],
    [
      "but not where the session before it was refused, and others were answered then",
      [refuses(1, 1), ended(1, 2), answered(2, 3)],
      "held",
    ],
  ];
  for (const [what, steps, kind] of cases)
    test(what, async () => {
      await using home = new Home();
      using store = home.store();
      const batch = new AccountHolds(new Holds(store.database, "a"), ownIdentity(), patience(day));
      const at = (seconds: number) => start + seconds * 1_000;
      for (const step of steps) step(batch, at);
      expect(batch.ended({ number: 1, model: undefined, outcome: refused }, at(10)).kind).toBe(kind);
      expect(batch.stopping(undefined, at(11))?.kind).toBe(kind === "held" ? "auth" : undefined);
    });
});

describe("a session that fails while it still runs", () => {
  test("stops the others at once, and is no try of a hold", async () => {
    await using home = new Home();
    using store = home.store();
    const holds = new Holds(store.database, "a");
    const batch = new AccountHolds(holds, ownIdentity(), patience(day));
    const start = Date.now();
    batch.failed({ number: 1, model: undefined, outcome: { kind: "crashed", stderrTail: "" } }, start);
    expect(holds.all()).toEqual([]);
    batch.failed({ number: 1, model: undefined, outcome: limited }, start);
    expect(batch.stopping(undefined, start + 1)).toMatchObject({ tries: 0, until: start + 5 * minute });
    // What stands is left to its end, which may be a try in vain.
    batch.failed({ number: 1, model: undefined, outcome: limited }, start + minute);
    expect(holds.all()).toMatchObject([{ until: start + 5 * minute }]);
  });
});

describe("a session that is about to start", () => {
  test("may do so as the store has it now, and with the try that it took on", async () => {
    await using home = new Home();
    using store = home.store();
    const holds = new Holds(store.database, "a");
    const batch = new AccountHolds(holds, ownIdentity(), patience(day));
    const now = Date.now();
    expect([batch.claim(1, undefined, now), batch.mayStart(1, undefined)]).toEqual([true, true]);
    // Another runner has met it in this moment.
    holds.place({ kind: "auth", model: "", since: now, until: now, because: "", tries: 0 });
    expect(batch.mayStart(1, undefined)).toBe(false);
    expect(batch.claim(2, undefined, now)).toBe(true);
    expect([1, 2].map((number) => batch.mayStart(number, undefined))).toEqual([false, true]);
    expect(batch.stopping(undefined, now)).toMatchObject({ isProbed: true });
  });

  test("tries all that holds it, or nothing", async () => {
    await using home = new Home();
    using store = home.store();
    const holds = new Holds(store.database, "a");
    const now = Date.now();
    const all = { kind: "auth", model: "", since: now, until: now, because: "", tries: 0 } as const;
    const opus = { ...all, kind: "usage-limit", model: "opus" } as const;
    for (const hold of [all, opus]) holds.place(hold);
    const batch = new AccountHolds(holds, ownIdentity(), patience(day));
    // Another runner is quicker with one of them.
    holds.claimProbe(opus, ownIdentity(), now);
    expect(batch.claim(1, "opus", now)).toBe(false);
    const isProbed = () => holds.all().map((hold) => hold.isProbed);
    expect(isProbed().sort()).toEqual([false, true]);
    expect(batch.claim(1, "haiku", now)).toBe(true);
    expect(isProbed()).toEqual([true, true]);
  });

  test("leaves its try to another one, once", async () => {
    await using home = new Home();
    using store = home.store();
    const holds = new Holds(store.database, "a");
    const now = Date.now();
    holds.place({ kind: "auth", model: "", since: now, until: now, because: "", tries: 0 });
    const batch = new AccountHolds(holds, ownIdentity(), patience(day));
    batch.claim(1, undefined, now);
    batch.release(1);
    expect(batch.claim(2, undefined, now)).toBe(true);
    batch.release(1);
    expect(holds.all()).toMatchObject([{ isProbed: true }]);
  });
});

test("a hold that was lifted and comes again is waited for anew", async () => {
  await using home = new Home();
  using store = home.store();
  const holds = new Holds(store.database, "a");
  const start = Date.now();
  const hold = { kind: "auth", model: "", since: start - day, until: start, because: "", tries: 3 } as const;
  holds.place(hold);
  const batch = new AccountHolds(holds, ownIdentity(), patience(60 * minute));
  batch.refresh(start);
  holds.lift(hold);
  batch.refresh(start + minute);
  holds.place({ ...hold, until: start + 50 * minute });
  batch.refresh(start + 50 * minute);
  const refused: Outcome = { kind: "failed", reason: "auth", message: "" };
  const endAt = (now: number) => batch.ended({ number: 1, model: undefined, outcome: refused }, now).kind;
  expect(endAt(start + 70 * minute)).toBe("held");
  expect(endAt(start + 111 * minute)).toBe("given-up");
});

test("the success of a session that tried a hold lifts it, and its crash leaves it to the next one", async () => {
  await using home = new Home();
  using store = home.store();
  const holds = new Holds(store.database, "a");
  const now = Date.now();
  holds.place({ kind: "auth", model: "", since: now, until: now, because: "", tries: 0 });
  const batch = new AccountHolds(holds, ownIdentity(), patience(day));
  batch.claim(1, undefined, now);
  batch.ended({ number: 1, model: undefined, outcome: { kind: "crashed", stderrTail: "" } }, now);
  expect(holds.all()).toMatchObject([{ tries: 0, isProbed: false, until: now }]);
  batch.claim(2, undefined, now);
  batch.ended({ number: 2, model: undefined, outcome: { kind: "succeeded", length: 1, offset: 0 } }, now);
  expect(holds.all()).toEqual([]);
  expect(batch.stopping(undefined, now)).toBeUndefined();
});
