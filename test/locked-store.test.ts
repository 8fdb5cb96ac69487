// A store that another process has locked, or that is damaged while it is open: the server goes on answering, and a
// sentence says what to do.
import { expect, test } from "bun:test";
import { closeSync, openSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { connectNew, databaseIn, Home, run } from "./harness.ts";
import { RawClient, type Reply } from "./raw-client.ts";

const spawn = "spawn_parallel_claude_sessions";

/** Locks the store against all writers, until disposed of. */
function lock(home: Home): Disposable {
  const database = databaseIn(home.state);
  database.run("BEGIN IMMEDIATE");
  return {
    [Symbol.dispose]: () => {
      if (database.inTransaction) database.run("ROLLBACK");
      database.close();
    },
  };
}

function textOf({ result }: Reply): string {
  const content: unknown = result?.["content"];
  const [first] = Array.isArray(content) ? content : [];
  return String(Reflect.get(first ?? {}, "text") ?? "");
}

test("a server whose store is locked answers what only reads, and does the rest when the lock goes", async () => {
  await using home = new Home();
  await run(home, ["run", "hello"]);
  await using client = new RawClient(home);
  await client.call("list_batches", {});
  const held = lock(home);
  let isOver = false;
  const spawned = client.call(spawn, { tasks: ["hello"] }).then((reply) => {
    isOver = true;
    return reply;
  });
  const cancelled = client.call("cancel_batch", { batchId: "latest" });
  for (let round = 0; round < 10; round++) {
    expect(textOf(await client.call("list_batches", {}))).toContain('"finished"');
    expect(isOver).toBe(false);
  }
  held[Symbol.dispose]();
  expect(textOf(await spawned)).toContain('"succeeded":1');
  expect((await cancelled).result).not.toHaveProperty("isError", true);
});

test("a store that stays locked is answered with what to do, by tool and by command", async () => {
  await using home = new Home();
  await run(home, ["run", "hello"]);
  using _held = lock(home);
  await using client = await connectNew(home);
  const [answer, command] = await Promise.all([
    client.call(spawn, { tasks: ["hello"] }),
    run(home, ["run", "hello"]),
  ]);
  const sentence = `The store ${join(home.state, "store.sqlite")} is locked by another process. Check what has it open`;
  expect(answer.text).toContain(sentence);
  expect(answer.isError).toBe(true);
  expect(command.err).toContain(sentence);
  expect(command.err).not.toMatch(/\n\s+at /);
  expect(command.code).toBe(2);
});

test("damage of a store that is open already is answered with what to do", async () => {
  await using home = new Home();
  await run(home, ["run", "hello"]);
  await using client = await connectNew(home);
  expect((await client.call("list_batches", {})).isError).toBe(false);
  damage(home.state);
  const sentence = "is damaged";
  const answer = await client.call("read_batch_results", { batchId: "latest" });
  expect(answer.isError).toBe(true);
  expect(answer.text).toContain(sentence);
  expect(answer.text).toContain("Move it away");
  for (const args of [["list"], ["show", "latest"], ["results", "latest"], ["run", "hello"]]) {
    const { code, err } = await run(home, args);
    expect(err).toContain(sentence);
    expect(err).not.toMatch(/\n\s+at /);
    expect(code).toBe(2);
  }
});

/** Overwrites everything behind the first page, under those who have it open. */
function damage(stateDirectory: string): void {
  using database = databaseIn(stateDirectory);
  database.run("PRAGMA wal_checkpoint(TRUNCATE)");
  const pageSize = database.query<{ page_size: number }, []>("PRAGMA page_size").get()?.page_size ?? 0;
  const path = join(stateDirectory, "store.sqlite");
  const descriptor = openSync(path, "r+");
  const rest = Buffer.alloc(statSync(path).size - pageSize, "x");
  writeSync(descriptor, rest, 0, rest.length, pageSize);
  closeSync(descriptor);
}
