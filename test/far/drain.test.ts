// A far machine that is out of service: it takes nothing new, and what it runs comes to its end.
import { expect, test } from "bun:test";
import { eventually } from "../harness.ts";
import { Inside } from "../inside.ts";
import { connectionTo, hello, keeperIn, startOf } from "./keeper-inside.ts";

test("a machine that is out of service takes nothing new, also by its next keeper, until that is taken back", async () => {
  using inside = new Inside();
  const first = keeperIn(inside);
  const runner = connectionTo(first.keeper);
  runner.say(hello());
  await runner.until("welcome");
  runner.say({ type: "reserve", ticket: "1", footprintKey: "" });
  runner.say({ ...startOf("one"), ticket: "1" });
  await runner.until("started");
  const user = connectionTo(first.keeper);
  const asked = { type: "status", protocol: hello().protocol, version: "1" } as const;
  // Who has not said who it is may change nothing.
  const stranger = connectionTo(first.keeper);
  stranger.say({ type: "drain", isDrained: true });
  await stranger.until("refused");
  user.say(asked);
  user.say({ type: "drain", isDrained: true });
  await user.until("drained");
  const because = "it is out of service, until `host resume`";
  expect(first.keeper.room()).toMatchObject({ because });
  runner.said.length = 0;
  runner.say({ type: "reserve", ticket: "2", footprintKey: "" });
  // What judges the answer of a task that runs there has its slot.
  runner.say({ type: "reserve", ticket: "3", footprintKey: "", isCheck: true });
  expect(runner.said).toMatchObject([
    { type: "full", ticket: "2", because },
    { type: "reserved", ticket: "3" },
  ]);
  first.keeper.look();
  expect(first.sessions.get("one")?.ended).toEqual([]);
  first.keeper[Symbol.dispose]();
  const next = keeperIn(inside);
  expect(next.keeper.reserve("")).toEqual({ kind: "full", because });
  await next.keeper.setDrained({ type: "drain", isDrained: false });
  expect(next.keeper.reserve("")).toMatchObject({ kind: "slot" });
});

test("sessions of a machine that goes out of service are handed back after their time", async () => {
  using inside = new Inside();
  const { keeper, sessions } = keeperIn(inside);
  const runner = connectionTo(keeper);
  runner.say(hello());
  await runner.until("welcome");
  runner.say(startOf("one"));
  await runner.until("started");
  runner.say({ type: "read", id: "one", from: 0 });
  await keeper.setDrained({ type: "drain", isDrained: true, handBackSeconds: 0 });
  keeper.look();
  // As if its machine had gone, so that its task runs again, which is no retry.
  expect(await runner.until("exited")).toMatchObject({ id: "one", isLapsed: true });
  expect(sessions.get("one")?.ended).toHaveLength(1);
  // What judges an answer may start later, and would be paid for each time.
  const drainedAt = Date.now();
  await eventually(
    () => Date.now() > drainedAt,
    () => "the clock stands still",
  );
  runner.said.length = 0;
  runner.say({ type: "reserve", ticket: "1", footprintKey: "", isCheck: true });
  runner.say({ ...startOf("check"), ticket: "1" });
  await runner.until("started");
  keeper.look();
  expect(sessions.get("check")?.ended).toEqual([]);
});
