// The pauses of an account: placed, due, tried by one, adopted, hastened and lifted.
import { describe, expect, test } from "bun:test";
import { ownIdentity } from "../../src/platform/process.ts";
import { beganAhead, type Hold, Holds, isDue, isSame } from "../../src/store/holds.ts";
import { Home } from "../harness.ts";
import { goneIdentity, lost } from "./samples.ts";

const limit = {
  kind: "usage-limit",
  model: "",
  since: 10,
  until: 20,
  because: "A limit.",
  tries: 0,
} as const;
const auth = { ...limit, kind: "auth", model: "opus" } as const;

async function withHolds(test: (holds: Holds, others: Holds) => void | Promise<void>): Promise<void> {
  await using home = new Home();
  using store = home.store();
  await test(new Holds(store.database, "a"), new Holds(store.database, "b"));
}

describe("a hold", () => {
  test("is of one account, and one for each kind and model; placed again, it has the new facts", () =>
    withHolds((holds, others) => {
      holds.place(limit);
      holds.place(auth);
      others.place({ ...limit, because: "Another." });
      holds.place({ ...limit, since: 11, until: 21, because: "Again.", tries: 3 });
      expect(holds.all().sort((one, other) => one.model.length - other.model.length)).toEqual([
        { ...limit, since: 11, until: 21, because: "Again.", tries: 3, isProbed: false },
        { ...auth, isProbed: false },
      ]);
      expect(others.all()).toEqual([{ ...limit, because: "Another.", isProbed: false }]);
    }));

  test("is lifted alone", () =>
    withHolds((holds, others) => {
      for (const hold of [limit, auth]) for (const account of [holds, others]) account.place(hold);
      holds.lift(limit);
      expect(holds.all()).toMatchObject([auth]);
      expect(others.all()).toHaveLength(2);
    }));

  test("can be tried at once when all are hastened, and none is put off by that", () =>
    withHolds((holds, others) => {
      holds.place(limit);
      holds.place({ ...auth, until: 5 });
      others.place(limit);
      expect(holds.hasten(15)).toBe(2);
      expect(Object.fromEntries(holds.all().map(({ kind, until }) => [kind, until]))).toEqual({
        "usage-limit": 15,
        auth: 5,
      });
      expect(others.all()).toMatchObject([{ until: 20 }]);
      others.lift(limit);
      expect(others.hasten(15)).toBe(0);
    }));

  test.each([
    [19, false],
    [20, true],
    [21, true],
  ])("until 20 is due at %d: %p", (now, due) => {
    expect(isDue(limit, now)).toBe(due);
  });

  test("that began ahead of the clock is due at once, from a minute on", () => {
    const ahead = { since: 60_001, until: 99_999 };
    expect([beganAhead(ahead, 0), isDue(ahead, 0)]).toEqual([true, true]);
    expect([beganAhead(ahead, 1), isDue(ahead, 1)]).toEqual([false, false]);
  });

  test("is the same as another one of its kind and model", () => {
    expect(isSame(limit, { ...limit })).toBe(true);
    expect(isSame(limit, { ...limit, kind: "auth" })).toBe(false);
    expect(isSame(limit, { ...limit, model: "opus" })).toBe(false);
  });
});

describe("a try whether a hold is over", () => {
  const probed = (holds: Holds) => holds.all().map(({ kind, isProbed }) => [kind, isProbed]);

  test("is made by one, when it is due, of what is held", () =>
    withHolds((holds) => {
      const me = ownIdentity();
      holds.place(limit);
      holds.place(auth);
      expect(holds.claimProbe(limit, me, 19)).toBe(false);
      expect(holds.claimProbe({ ...limit, model: "haiku" }, me, 20)).toBe(false);
      expect(holds.claimProbe(limit, me, 20)).toBe(true);
      expect(holds.claimProbe(limit, me, 20)).toBe(false);
      expect(Object.fromEntries(probed(holds))).toEqual({ "usage-limit": true, auth: false });
      // Somebody asks for it, though it is early.
      expect(holds.claimProbe(auth, me, 19, { early: true })).toBe(true);
      expect(holds.claimProbe(auth, me, 19, { early: true })).toBe(false);
    }));

  test("goes on when the hold is placed again", () =>
    withHolds((holds) => {
      holds.place(limit);
      holds.claimProbe(limit, ownIdentity(), 20);
      holds.place({ ...limit, tries: 1 });
      expect(probed(holds)).toEqual([["usage-limit", true]]);
    }));

  test("that has shown nothing is another one's to make", () =>
    withHolds((holds) => {
      holds.place(limit);
      holds.claimProbe(limit, ownIdentity(), 20);
      const [hold] = holds.all();
      holds.endProbe(hold ?? never());
      expect(probed(holds)).toEqual([["usage-limit", false]]);
      expect(holds.claimProbe(limit, ownIdentity(), 20)).toBe(true);
    }));

  describe("of a runner that died is adopted", () => {
    const adoptedBy = async (
      startedAt: (triedAt: number) => number,
      named: Pick<Hold, "kind" | "model"> = limit,
    ) => {
      await using home = new Home();
      using store = home.store();
      const holds = new Holds(store.database, "a");
      holds.place(limit);
      holds.claimProbe(limit, await goneIdentity(), 20);
      store.database.run("UPDATE holds SET probed_at = 500");
      const adopted = holds.adoptProbe(named, ownIdentity(), startedAt(500));
      const row = store.database.query("SELECT prober, probed_at FROM holds").get();
      return { adopted, row, again: holds.adoptProbe(named, lost, 1_000) };
    };

    test("by whoever has its session, and the try began when it did", async () => {
      const { adopted, row, again } = await adoptedBy((triedAt) => triedAt);
      expect(adopted).toBe(true);
      expect(row).toEqual({ prober: JSON.stringify(ownIdentity()), probed_at: 500 });
      expect(again).toBe(false);
    });

    test("not for a session that had started before, nor for another hold", async () => {
      expect((await adoptedBy((triedAt) => triedAt - 1)).adopted).toBe(false);
      expect((await adoptedBy((triedAt) => triedAt, auth)).adopted).toBe(false);
    });

    test("not where nobody tries", () =>
      withHolds((holds) => {
        holds.place(limit);
        expect(holds.adoptProbe(limit, ownIdentity(), 1_000)).toBe(false);
        expect(probed(holds)).toEqual([["usage-limit", false]]);
      }));
  });
});

function never(): never {
  throw new Error("not there");
}
