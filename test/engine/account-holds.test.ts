// Several runners with the holds of one account.
import { expect, test } from "bun:test";
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

test("a batch that gives up leaves the hold standing for those that still wait, with one more try in vain", async () => {
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
