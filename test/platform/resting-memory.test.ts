import { expect, test } from "bun:test";
import { join } from "node:path";
import { RestingMemory } from "../../src/platform/resting-memory.ts";

test("memory is given back after a while without work, and once more after the next work", async () => {
  let given = Promise.withResolvers<void>();
  const memory = new RestingMemory(() => false, { quietMs: 1, giveBack: () => given.resolve() });
  memory.worked();
  await given.promise;
  given = Promise.withResolvers();
  memory.worked();
  await given.promise;
});

test("memory is kept while work is in progress, until that has ended", async () => {
  const asked = Promise.withResolvers<void>();
  const given = Promise.withResolvers<void>();
  let isBusy = true;
  let times = 0;
  const giveBack = () => {
    times += 1;
    given.resolve();
  };
  const busy = () => {
    asked.resolve();
    return isBusy;
  };
  const memory = new RestingMemory(busy, { quietMs: 1, giveBack });
  memory.worked();
  await asked.promise;
  expect(times).toBe(0);
  isBusy = false;
  await given.promise;
  expect(times).toBe(1);
});

test("what the owner can give back is given back first, so that its garbage is collected, too", async () => {
  const given = Promise.withResolvers<void>();
  const order: string[] = [];
  const first = () => void order.push("first");
  const giveBack = () => {
    order.push("garbage");
    given.resolve();
  };
  new RestingMemory(() => false, { quietMs: 1, first, giveBack }).worked();
  await given.promise;
  expect(order).toEqual(["first", "garbage"]);
});

test("whoever is closed gives nothing back any more", async () => {
  const ended = Promise.withResolvers<void>();
  let times = 0;
  const memory = new RestingMemory(() => false, { quietMs: 1, giveBack: () => void times++ });
  memory.worked();
  memory[Symbol.dispose]();
  memory.worked();
  new RestingMemory(() => false, { quietMs: 2, giveBack: () => ended.resolve() }).worked();
  await ended.promise;
  expect(times).toBe(0);
});

test("what runs after memory was given back is as before, and nobody waits for it to be given back", async () => {
  const source = join(import.meta.dir, "../../src/platform/resting-memory.ts");
  const script = `
    const { RestingMemory } = await import(${JSON.stringify(source)});
    const sum = (most) => Array.from({ length: most }, (_, index) => index).reduce((one, other) => one + other, 0);
    const before = sum(100_000);
    const resting = Promise.withResolvers();
    const asked = () => { resting.resolve(); return false; };
    new RestingMemory(asked, { quietMs: 1 }).worked();
    const alive = setInterval(() => undefined, 1_000);
    await resting.promise;
    clearInterval(alive);
    new RestingMemory(asked, { quietMs: 2 ** 30 }).worked();
    setTimeout(() => console.log(before === sum(100_000)), 1);
  `;
  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "inherit" });
  expect([await child.exited, (await child.stdout.text()).trim()]).toEqual([0, "true"]);
});
