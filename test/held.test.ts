// What every view says of a hold: as long as the batch waits, and the same hold once.
import { expect, test } from "bun:test";
import { awaitsCost, waitKind } from "../src/model/wait-reason.ts";
import { ownIdentity } from "../src/platform/process.ts";
import { connectNew, Home, run } from "./harness.ts";
import { batchOf, goneIdentity } from "./store/samples.ts";

const because = "The disk of /d has 12 MB left; sessions start again above 100 MB.";

/** What each view says of the newest batch. */
async function views(home: Home): Promise<Record<string, string>> {
  const commands = [["show", "latest"], ["show", "latest", "--json"], ["list"], ["list", "--json"]];
  const said: Record<string, string> = {};
  for (const command of commands) said[command.join(" ")] = (await run(home, command)).out;
  await using client = await connectNew(home);
  said["wait_for_batch"] = (await client.call("wait_for_batch", { batchId: "latest", waitSeconds: 0 })).text;
  return said;
}

test("a batch that waits says so in every view; one that has ended, or that nobody runs, in none", async () => {
  await using home = new Home();
  using store = home.store();
  const log = store.create(batchOf(2), Date.now());
  log.takeOver(ownIdentity());
  store.setHeld(log.batchId, { because });
  for (const [view, said] of Object.entries(await views(home)))
    expect({ view, said }).toEqual({ view, said: expect.stringMatching(view === "list" ? /held/ : /12 MB/) });

  log.append(() => [{ type: "cancel-requested", by: "user" }, { type: "batch-ended" }]);
  store.setHeld(log.batchId, { because });
  for (const [view, said] of Object.entries(await views(home)))
    expect({ view, said }).toEqual({ view, said: expect.not.stringMatching(/held|12 MB/) });

  const lost = store.create(batchOf(2), Date.now());
  lost.takeOver(await goneIdentity());
  store.setHeld(lost.batchId, { because });
  for (const [view, said] of Object.entries(await views(home)))
    expect({ view, said }).toEqual({ view, said: expect.not.stringMatching(/held|12 MB/) });
});

test("a call that waits with a cursor is answered about another hold, and not about other figures of the same", async () => {
  await using home = new Home();
  using store = home.store();
  const { batchId } = store.create(batchOf(2), Date.now());
  store.batch(batchId)?.takeOver(ownIdentity());
  await using client = await connectNew(home);
  const hold = (text: string) => store.setHeld(batchId, { because: text });
  const look = async () =>
    (await client.call("wait_for_batch", { batchId, waitSeconds: 0 })).data?.["cursor"];
  hold(because);
  const cursor = await look();
  hold(because.replace("12", "11"));
  expect(await look()).toBe(cursor);
  const waiting = client.call("wait_for_batch", { batchId, cursor: String(cursor), waitSeconds: 60 });
  await look();
  const other = "Waits for file descriptors: this process may open only 3 more.";
  hold(other);
  expect((await waiting).data).toMatchObject({
    heldBecause: other,
    cursor: expect.not.stringMatching(`^${cursor}$`),
  });
});

test("a call that waits goes on where the last session has ended for which others waited, though that is still shown", async () => {
  await using home = new Home();
  using store = home.store();
  const log = store.create(batchOf(2), Date.now());
  const { batchId } = log;
  log.takeOver(ownIdentity());
  await using client = await connectNew(home);
  store.setHeld(batchId, { because: `${awaitsCost}: the batch has cost $2.00 of its budget of $2.50.` });
  const waiting = client.call("wait_for_batch", { batchId, cursor: "0", waitSeconds: 60 });
  const now = await client.call("wait_for_batch", { batchId, waitSeconds: 0 });
  expect(now.data).toMatchObject({ state: "running", heldBecause: expect.stringContaining("$2.00") });
  log.append(() => [{ type: "cancel-requested", by: "user" }, { type: "batch-ended" }]);
  expect((await waiting).data).toMatchObject({ state: "cancelled", counts: { cancelled: 2 } });
});

test.each([
  [because, because.replace("12 MB", "7 MB")],
  [
    "Waits for memory: processes on this machine waited for it 31 % of the time.",
    "Waits for memory: 2 sessions may take 3 MB.",
  ],
  [
    "You have reached the account's five-hour limit. No reset time is known, so one session tries periodically. Claude said: resets 3pm",
    "You have reached the account's five-hour limit; the batch continues automatically after the reset. Claude said: resets in 9 min",
  ],
  ["Waits for a slot: other batches of this account use all of them.", "Waits for a slot: x"],
])("%j is the same hold as %j", (one, other) => {
  expect(waitKind({ because: one })).toBe(waitKind({ because: other }));
});

test("holds for different things are different ones", () => {
  const texts = [
    because,
    "Waits for memory: 1",
    "Waits for the processors: 1",
    "Waits for running sessions: the batch has cost $1.00",
    "You have reached the account's five-hour limit; the batch continues",
    "You have reached the account's weekly limit; the batch continues",
    "Claude is not logged in. Run `claude`",
    "The API refuses the account for billing reasons. Add credit",
    "`sonnet` needs usage credits for its long context.",
    "`opus` needs usage credits for its long context.",
  ];
  expect(new Set(texts.map((text) => waitKind({ because: text }))).size).toBe(texts.length);
});
