import { expect, test } from "bun:test";
import { livenessWatch } from "../../src/platform/liveness-watch.ts";
import { type Liveness, ownIdentity } from "../../src/platform/process.ts";

function watched(...answers: Liveness[]) {
  let at = 0;
  let asked = 0;
  const watch = livenessWatch(
    () => answers[asked++] ?? "unknown",
    () => at,
  );
  return { watch, later: (ms: number) => (at += ms), asked: () => asked };
}

test("a process is asked for at most once a second, however often its caller asks", () => {
  const { watch, later, asked } = watched("alive", "dead");
  for (let look = 0; look < 25; look++, later(36)) expect(watch(ownIdentity())).toBe("alive");
  expect(asked()).toBe(1);
  expect(watch(ownIdentity())).toBe("dead");
  expect(asked()).toBe(2);
});

test("a process that has ended is not asked for again", () => {
  const { watch, later, asked } = watched("dead", "alive");
  expect(watch(ownIdentity())).toBe("dead");
  later(3_600_000);
  expect(watch(ownIdentity())).toBe("dead");
  expect(asked()).toBe(1);
});

test("two processes with one pid are asked for apart", () => {
  const { watch, asked } = watched("dead", "alive");
  expect(watch({ ...ownIdentity(), startTicks: "1" })).toBe("dead");
  expect(watch(ownIdentity())).toBe("alive");
  expect(asked()).toBe(2);
});
