// Who is asked first, and who waits for that: with a batch whose log is written by hand.
import { describe, expect, test } from "bun:test";
import { type Place, PrefixGroups } from "../../src/engine/scheduler/prefix-groups.ts";
import { PrefixIndex } from "../../src/engine/scheduler/prefix-index.ts";
import { PrefixesElsewhere } from "../../src/engine/scheduler/prefixes-elsewhere.ts";
import { LateWrites } from "../../src/engine/shared/late-writes.ts";
import { sharedPrefixes } from "../../src/engine/shared/shared-store.ts";
import type { Batch } from "../../src/model/event.ts";
import { noValues } from "../../src/model/session-values.ts";
import { Prefixes } from "../../src/store/prefixes.ts";
import { Inside } from "../inside.ts";

const short = { isLong: false };

/** The groups of a batch, on a clock that only the test moves. With `isShared`, other batches know of them. */
function groupsOf(
  inside: Inside,
  tasks: Batch["tasks"],
  longestWaitMs?: number,
  { isShared = false, clock = { now: 1_000, system: 1_700_000_000_000 } } = {},
) {
  const context = inside.context();
  const batch = inside.batch(context, { tasks });
  const shared = sharedPrefixes(new Prefixes(context.store.database, "a"), new LateWrites());
  const elsewhere = new PrefixesElsewhere({
    shared,
    batchId: batch.log.batchId,
    now: () => clock.system,
  });
  const groups = new PrefixGroups({
    state: () => batch.log.state,
    index: new PrefixIndex(noValues),
    ...(isShared ? { elsewhere } : {}),
    now: () => clock.now,
    systemNow: () => clock.system,
    ...(longestWaitMs === undefined ? {} : { longestWaitMs: () => longestWaitMs }),
  });
  const cancel = (number: number) => batch.append({ type: "cancel-requested", by: "user", tasks: [number] });
  return { groups, clock, batch, cancel };
}

const tasks = (...options: object[]): Batch["tasks"] =>
  options.map((one, index) => ({ prompt: `task ${index + 1}`, options: { ...one } }));

const alike = (count: number) => tasks(...Array.from({ length: count }, () => ({})));

const enterAll = (groups: PrefixGroups, count: number): Place[] =>
  Array.from({ length: count }, (_, index) => groups.enter(index + 1));

const stepsOf = (places: Place[]) => places.map((place) => place.step());
const leadersOf = (places: Place[]) => places.map(({ leads }) => leads);

describe("tasks whose requests begin alike", () => {
  test("wait for the first of them, until the API begins to answer it", () => {
    using inside = new Inside();
    const { groups } = groupsOf(inside, alike(3));
    const places = enterAll(groups, 3);
    expect(leadersOf(places)).toEqual([true, false, false]);
    expect(stepsOf(places)).toEqual(["go", "wait", "wait"]);
    let calls = 0;
    using _listening = groups.subscribe(() => calls++);
    groups.answered(1, short);
    expect(calls).toBe(1);
    expect(stepsOf(places)).toEqual(["go", "go", "go"]);
  });

  test("would lead only if one does not, which asking does not change", () => {
    using inside = new Inside();
    const { groups } = groupsOf(inside, alike(3));
    expect([groups.wouldLead(2), groups.wouldLead(1)]).toEqual([true, true]);
    const places = enterAll(groups, 1);
    expect(leadersOf(places)).toEqual([true]);
    expect([groups.wouldLead(1), groups.wouldLead(2)]).toEqual([true, false]);
    groups.answered(1, short);
    expect([groups.wouldLead(1), groups.wouldLead(2)]).toEqual([false, false]);
  });

  test("wait for nobody where there is only one, or none of the others is like it", () => {
    using inside = new Inside();
    const one = groupsOf(inside, alike(1));
    expect(leadersOf(enterAll(one.groups, 1))).toEqual([false]);
    const { groups } = groupsOf(inside, tasks({ model: "opus" }, { model: "haiku" }, { tools: "Read" }));
    const places = enterAll(groups, 3);
    expect(leadersOf(places)).toEqual([false, false, false]);
    expect(stepsOf(places)).toEqual(["go", "go", "go"]);
  });

  test("have a leader for each group, which stops no other group", () => {
    using inside = new Inside();
    const [opus, haiku] = [{ model: "opus" }, { model: "haiku" }];
    const { groups } = groupsOf(inside, tasks(opus, haiku, opus, haiku));
    const places = enterAll(groups, 4);
    expect(leadersOf(places)).toEqual([true, true, false, false]);
    expect(stepsOf(places)).toEqual(["go", "go", "wait", "wait"]);
    groups.answered(2, short);
    expect(stepsOf(places)).toEqual(["go", "go", "wait", "go"]);
  });

  test("in two directories share what does not depend on the directory, and then the rest with their neighbours", () => {
    using inside = new Inside();
    inside.write("a/x", "");
    inside.write("b/x", "");
    const [a, b] = [{ workingDirectory: inside.file("a") }, { workingDirectory: inside.file("b") }];
    const { groups } = groupsOf(inside, tasks(a, a, b, b));
    const places = enterAll(groups, 4);
    expect(leadersOf(places)).toEqual([true, false, true, false]);
    expect(stepsOf(places)).toEqual(["go", "wait", "wait", "wait"]);
    groups.answered(1, short);
    expect(stepsOf(places)).toEqual(["go", "go", "go", "wait"]);
    groups.answered(3, short);
    expect(stepsOf(places)).toEqual(["go", "go", "go", "go"]);
  });

  test("that come later wait for nobody while the cache has the beginning, and have a new leader after that", () => {
    using inside = new Inside();
    const { groups, clock } = groupsOf(inside, alike(6));
    const first = groups.enter(1);
    first.step();
    groups.answered(1, short);
    clock.now += 3 * 60_000;
    expect(groups.enter(2).leads).toBe(false);
    // Each use makes it last again.
    groups.answered(1, short);
    clock.now += 3 * 60_000;
    expect(groups.enter(3).leads).toBe(false);
    clock.now += 2 * 60_000;
    const [fourth, fifth] = [groups.enter(4), groups.enter(5)];
    expect([fourth.leads, fifth.leads, fifth.step()]).toEqual([true, false, "wait"]);
    groups.answered(4, { isLong: true });
    clock.now += 50 * 60_000;
    expect(groups.enter(6).leads).toBe(false);
  });
});

describe("what the cache has", () => {
  const isWarm = (groups: PrefixGroups, number: number) => {
    using place = groups.enter(number);
    return !place.leads;
  };

  test("grows old while the machine sleeps, when only the clock of the system goes on", () => {
    using inside = new Inside();
    const { groups, clock } = groupsOf(inside, alike(3));
    groups.enter(1).step();
    groups.answered(1, short);
    clock.system += 4 * 60_000 - 1;
    expect(isWarm(groups, 2)).toBe(true);
    clock.system += 1;
    expect(isWarm(groups, 2)).toBe(false);
  });

  test("grows old when the clock of the system is set back, or forward, as well", () => {
    using inside = new Inside();
    const { groups, clock } = groupsOf(inside, alike(3));
    groups.enter(1).step();
    groups.answered(1, { isLong: true });
    clock.system -= 24 * 3_600_000;
    expect(isWarm(groups, 2)).toBe(true);
    clock.now += 59 * 60_000;
    expect(isWarm(groups, 2)).toBe(false);
    groups.answered(1, { isLong: true });
    clock.system += 24 * 3_600_000;
    expect(isWarm(groups, 2)).toBe(false);
  });

  test("for an hour stays for an hour, though it is used again by one that keeps it for minutes", () => {
    using inside = new Inside();
    const { groups, clock } = groupsOf(inside, alike(3));
    groups.enter(1).step();
    groups.answered(1, { isLong: true });
    groups.answered(1, short);
    clock.now += 58 * 60_000;
    expect(isWarm(groups, 2)).toBe(true);
  });
});

describe("a leader", () => {
  test("that fails before it is answered is followed by the next one, which starts again to lead", () => {
    using inside = new Inside();
    const { groups } = groupsOf(inside, alike(4));
    const [first, second, third] = enterAll(groups, 3);
    expect([first?.step(), second?.step(), third?.step()]).toEqual(["go", "wait", "wait"]);
    groups.failed(1);
    expect([second?.step(), third?.step()]).toEqual(["start-again", "wait"]);
    // Another one that comes first does not take its turn.
    const fourth = groups.enter(4);
    expect([fourth.leads, fourth.step()]).toEqual([false, "wait"]);
    second?.startAgain();
    expect([second?.leads, second?.step(), third?.step()]).toEqual([true, "go", "wait"]);
    groups.answered(2, short);
    expect([third?.step(), fourth.step()]).toEqual(["go", "go"]);
  });

  test("that fails like the one before it is followed by nobody: all go on, until the API answers one", () => {
    using inside = new Inside();
    const { groups } = groupsOf(inside, alike(6));
    const [first, second, third, fourth] = enterAll(groups, 4);
    for (const place of [first, second, third, fourth]) place?.step();
    groups.failed(1);
    second?.startAgain();
    expect([second?.leads, second?.step(), third?.step()]).toEqual([true, "go", "wait"]);
    groups.failed(2);
    expect([third?.step(), fourth?.step()]).toEqual(["go", "go"]);
    const fifth = groups.enter(5);
    expect([fifth.leads, fifth.step()]).toEqual([false, "go"]);
    groups.answered(5, short);
    groups.failed(5);
    expect(groups.enter(6).step()).toBe("go");
  });

  test("that ends without a word is followed, too; one that failed after it was answered has led", () => {
    using inside = new Inside();
    const { groups } = groupsOf(inside, alike(3));
    const places = enterAll(groups, 3);
    stepsOf(places);
    places[0]?.[Symbol.dispose]();
    expect(places[1]?.step()).toBe("start-again");
    const other = groupsOf(inside, alike(3));
    const others = enterAll(other.groups, 3);
    stepsOf(others);
    other.groups.answered(1, short);
    other.groups.failed(1);
    expect(stepsOf(others)).toEqual(["go", "go", "go"]);
  });

  test("of nobody else is none: the last one goes on as it is", () => {
    using inside = new Inside();
    const { groups, batch } = groupsOf(inside, alike(2));
    const places = enterAll(groups, 2);
    stepsOf(places);
    batch.append({
      type: "attempt-ended",
      task: 1,
      attempt: 0,
      outcome: { kind: "not-started", message: "" },
    });
    places[0]?.[Symbol.dispose]();
    expect(places[1]?.step()).toBe("go");
  });

  test("that was to start again and is cancelled meanwhile leaves its turn to the next one", () => {
    using inside = new Inside();
    const { groups, cancel } = groupsOf(inside, alike(4));
    const places = enterAll(groups, 4);
    stepsOf(places);
    groups.failed(1);
    expect(places[1]?.step()).toBe("start-again");
    cancel(2);
    expect(places[2]?.step()).toBe("start-again");
    places[2]?.startAgain();
    expect(leadersOf(places)).toEqual([false, false, true, false]);
  });

  test("that was to start again and may not, because it is not due now, leaves its turn to the next one at once", () => {
    using inside = new Inside();
    const { groups } = groupsOf(inside, alike(4));
    const places = enterAll(groups, 3);
    stepsOf(places);
    groups.failed(1);
    expect(stepsOf(places).slice(1)).toEqual(["start-again", "wait"]);
    let calls = 0;
    using _listening = groups.subscribe(() => calls++);
    // It is still queued, and may stay so for an hour.
    places[1]?.[Symbol.dispose]();
    expect([calls, places[2]?.step()]).toEqual([1, "start-again"]);
    places[2]?.startAgain();
    const fourth = groups.enter(4);
    expect([places[2]?.leads, places[2]?.step(), fourth.leads, fourth.step()]).toEqual([
      true,
      "go",
      false,
      "wait",
    ]);
  });

  test("that is being cancelled, or whose session has gone, is followed before the end of its attempt is written", () => {
    using inside = new Inside();
    const cancelled = groupsOf(inside, alike(3));
    const places = enterAll(cancelled.groups, 3);
    stepsOf(places);
    cancelled.batch.start(1);
    expect(places[1]?.step()).toBe("wait");
    cancelled.cancel(1);
    expect(places[1]?.step()).toBe("start-again");
    const gone = groupsOf(inside, alike(3));
    const others = enterAll(gone.groups, 3);
    stepsOf(others);
    gone.batch.start(1);
    gone.groups.ended(2);
    expect(stepsOf(others).slice(1)).toEqual(["wait", "wait"]);
    gone.groups.ended(1);
    expect(stepsOf(others).slice(1)).toEqual(["start-again", "wait"]);
    others[0]?.[Symbol.dispose]();
    expect(stepsOf(others).slice(1)).toEqual(["start-again", "wait"]);
  });

  test("that starts again leads nothing that has been answered meanwhile", () => {
    using inside = new Inside();
    const { groups } = groupsOf(inside, alike(4));
    const places = enterAll(groups, 4);
    stepsOf(places);
    groups.failed(1);
    expect(places[1]?.step()).toBe("start-again");
    groups.answered(4, short);
    places[1]?.startAgain();
    expect([places[1]?.leads, ...stepsOf(places)]).toEqual([false, "go", "go", "go", "go"]);
  });

  test("of a directory takes over from that of all without starting again", () => {
    using inside = new Inside();
    inside.write("b/x", "");
    const b = { workingDirectory: inside.file("b") };
    const { groups } = groupsOf(inside, tasks({}, {}, b, b));
    const places = enterAll(groups, 4);
    expect(leadersOf(places)).toEqual([true, false, true, false]);
    stepsOf(places);
    groups.failed(1);
    // The second one leads its directory, so it starts again; the third one can lead them all as it is.
    expect(stepsOf(places).slice(1)).toEqual(["start-again", "go", "wait"]);
  });

  test("that hangs is waited for 10 seconds at most, by those that come later as well", () => {
    using inside = new Inside();
    const { groups, clock } = groupsOf(inside, alike(3));
    const [first, second] = [groups.enter(1), groups.enter(2)];
    expect([first.step(), second.step()]).toEqual(["go", "wait"]);
    clock.now += 9_999;
    expect(second.step()).toBe("wait");
    clock.now += 1;
    expect(second.step()).toBe("go");
    expect(groups.enter(3).step()).toBe("go");
  });

  test("is followed as often as it takes, and yet nobody waits for longer than 10 seconds in all", () => {
    using inside = new Inside();
    const { groups, clock } = groupsOf(inside, alike(4));
    const places = enterAll(groups, 4);
    stepsOf(places);
    clock.now += 7_500;
    groups.failed(1);
    expect(stepsOf(places).slice(1)).toEqual(["start-again", "wait", "wait"]);
    clock.now += 2_500;
    expect(stepsOf(places).slice(2)).toEqual(["go", "go"]);
  });
});

describe("two batches whose requests begin alike", () => {
  /** Two batches of three tasks, on the same clock. */
  function two(inside: Inside, tasks = alike(3)) {
    const clock = { now: 1_000, system: 1_700_000_000_000 };
    const [one, other] = [0, 1].map(() => groupsOf(inside, tasks, undefined, { isShared: true, clock }));
    if (!one || !other) throw new Error("no batches");
    const pass = (ms: number) => {
      clock.now += ms;
      clock.system += ms;
    };
    return { one: one.groups, other: other.groups, pass, clock };
  }

  test("have one leader, until the API begins to answer it", () => {
    using inside = new Inside();
    const { one, other, pass } = two(inside);
    const [ours, theirs] = [enterAll(one, 3), enterAll(other, 3)];
    expect([leadersOf(ours), leadersOf(theirs)]).toEqual([
      [true, false, false],
      [false, false, false],
    ]);
    expect([stepsOf(ours), stepsOf(theirs)]).toEqual([
      ["go", "wait", "wait"],
      ["wait", "wait", "wait"],
    ]);
    let calls = 0;
    using _listening = other.subscribe(() => calls++);
    one.answered(1, short);
    other.refresh();
    expect([calls, stepsOf(theirs)]).toEqual([1, ["go", "go", "go"]]);
    // One that comes later finds it in the cache, for as long as that keeps it.
    pass(4 * 60_000 - 1);
    expect(other.enter(1).leads).toBe(false);
    pass(1);
    expect(other.enter(1).leads).toBe(true);
  });

  test("have another leader at once when the first one fails and nobody of its batch follows", () => {
    using inside = new Inside();
    const { one, other } = two(inside);
    const first = one.enter(1);
    first.step();
    const theirs = enterAll(other, 3);
    expect(stepsOf(theirs)).toEqual(["wait", "wait", "wait"]);
    one.failed(1);
    other.refresh();
    expect(stepsOf(theirs)).toEqual(["start-again", "wait", "wait"]);
    theirs[0]?.startAgain();
    // Now it is the other batch that waits.
    one.refresh();
    const second = one.enter(2);
    expect([theirs[0]?.leads, second.leads, second.step()]).toEqual([true, false, "wait"]);
    other.answered(1, short);
    one.refresh();
    expect(second.step()).toBe("go");
  });

  test("wait for one whose runner has died for 10 seconds at most, and the next runner of the batch leads at once", () => {
    using inside = new Inside();
    const clock = { now: 1_000, system: 1_700_000_000_000 };
    const { groups: dead, batch } = groupsOf(inside, alike(3), undefined, { isShared: true, clock });
    dead.enter(1).step();
    const { groups: other } = groupsOf(inside, alike(3), undefined, { isShared: true, clock });
    const theirs = enterAll(other, 2);
    stepsOf(theirs);
    clock.now += 9_999;
    clock.system += 9_999;
    expect(stepsOf(theirs)).toEqual(["wait", "wait"]);
    const shared = sharedPrefixes(new Prefixes(inside.context().store.database, "a"), new LateWrites());
    const heir = new PrefixGroups({
      state: () => batch.log.state,
      index: new PrefixIndex(noValues),
      elsewhere: new PrefixesElsewhere({ shared, batchId: batch.log.batchId, now: () => clock.system }),
    });
    expect(heir.enter(1).leads).toBe(true);
    const late = groupsOf(inside, alike(3), undefined, { isShared: true, clock }).groups;
    clock.now += 1;
    clock.system += 10_001;
    expect([late.enter(1).leads, theirs[1]?.step()]).toEqual([true, "go"]);
  });

  test("know nothing of each other where values of variables count, or the account is another one", () => {
    using inside = new Inside();
    const { one, other } = two(inside, tasks({ env: { A: "" } }, { env: { A: "" } }));
    expect([leadersOf(enterAll(one, 2)), leadersOf(enterAll(other, 2))]).toEqual([
      [true, false],
      [true, false],
    ]);
    const { database } = inside.context().store;
    expect(database.query("SELECT count(*) FROM prefixes").values()).toEqual([[0]]);
  });

  test("store nothing of what they begin with but a digest", () => {
    using inside = new Inside();
    const { one } = two(inside, tasks({ systemPrompt: "secret words" }, { systemPrompt: "secret words" }));
    one.enter(1).step();
    one.answered(1, short);
    const stored = inside.context().store.database.query("SELECT * FROM prefixes").values();
    expect(stored.length).toBe(2);
    expect(stored.map((row) => row[1])).toEqual(Array(2).fill(expect.stringMatching(/^[\w-]{43}$/)));
  });
});

test("where nothing may wait, nothing leads", () => {
  using inside = new Inside();
  const { groups } = groupsOf(inside, alike(3), 0);
  const places = enterAll(groups, 3);
  expect(leadersOf(places)).toEqual([false, false, false]);
  expect(stepsOf(places)).toEqual(["go", "go", "go"]);
});

test("only what changes the beginning of requests makes groups", () => {
  using inside = new Inside();
  const same = [
    {},
    {
      name: "a",
      allowedTools: "Read",
      permissionMode: "acceptEdits",
      maxTurns: 3,
      retries: 0,
      effort: "low",
    },
    { timeoutSeconds: 5, allowedTools: ["Bash(ls)"], reuse: "never" },
  ];
  const other = [
    { systemPrompt: "x" },
    { appendSystemPrompt: "x" },
    { disallowedTools: "Bash" },
    { outputSchema: {} },
  ];
  const { batch } = groupsOf(inside, tasks(...same, ...other));
  const index = new PrefixIndex(noValues);
  const keys = batch.log.state.tasks.map(({ number }) => index.keysOf(batch.log.state.batch, number)[0]);
  expect(keys.slice(0, 3)).toEqual([keys[0], keys[0], keys[0]]);
  expect(new Set(keys).size).toBe(1 + other.length);
});

test("values of variables make groups, though nobody can see them", () => {
  using inside = new Inside();
  const { batch } = groupsOf(inside, tasks({ env: { A: "" } }, { env: { A: "" } }, { env: { A: "" } }));
  const index = new PrefixIndex({ shared: {}, tasks: { "1": { A: "x" }, "2": { A: "x" }, "3": { A: "y" } } });
  const [one, two, three] = [1, 2, 3].map((number) => index.keysOf(batch.log.state.batch, number)[0]);
  expect(one).toBe(two);
  expect(three).not.toBe(one);
  expect(one).not.toContain("x".repeat(3));
});
