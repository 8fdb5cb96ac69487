// How the store is opened, and what its errors mean: which the user can fix, which are waited for.
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import {
  isBusy,
  isStorageTrouble,
  isStoreError,
  openDatabase,
  StoreProblem,
  storeProblemOf,
} from "../../src/store/database.ts";
import { migrations } from "../../src/store/migrations.ts";
import { patiently } from "../../src/store/patiently.ts";
import { testNeeding } from "../facilities.ts";
import { Home } from "../harness.ts";

const path = "/state/store.sqlite";
const coded = (code: unknown) => Object.assign(new Error("it says why"), { code });

/** What SQLite throws in truth at a lock. */
async function busyError(): Promise<unknown> {
  await using home = new Home();
  const file = home.file("locked.sqlite");
  using holder = new Database(file, { create: true });
  holder.run("BEGIN IMMEDIATE");
  using other = new Database(file);
  try {
    other.run("BEGIN IMMEDIATE");
  } catch (error) {
    return error;
  }
  throw new Error("It was not locked");
}

test("a store is opened in write-ahead mode, waits for locks, and says whose it is and of which schema", async () => {
  await using home = new Home();
  using database = openDatabase(join(home.state, "store.sqlite"));
  const pragma = (name: string) => Object.values(database.query(`PRAGMA ${name}`).get() ?? {})[0];
  expect(
    ["journal_mode", "synchronous", "busy_timeout", "application_id", "user_version"].map(pragma),
  ).toEqual(["wal", 1, 10_000, 0x7063636d, migrations.length]);
  using quick = openDatabase(join(home.state, "store.sqlite"), 5);
  expect(quick.query("PRAGMA busy_timeout").get()).toEqual({ timeout: 5 });
});

describe("a store that cannot be opened is answered with the path and what to do", () => {
  const opening = (file: string, busyTimeoutMs?: number) => () => openDatabase(file, busyTimeoutMs);

  testNeeding("symbolic links")("where a directory has its name, or a link leads nowhere", async () => {
    await using home = new Home();
    mkdirSync(home.file("one/store.sqlite"), { recursive: true });
    expect(opening(home.file("one/store.sqlite"))).toThrow(StoreProblem);
    expect(opening(home.file("one/store.sqlite"))).toThrow(
      `The store ${home.file("one/store.sqlite")} cannot be opened: EISDIR: `,
    );
    mkdirSync(home.file("two"));
    symlinkSync(home.file("gone/store.sqlite"), home.file("two/store.sqlite"));
    expect(opening(home.file("two/store.sqlite"))).toThrow(
      /^The store .*\/two\/store\.sqlite cannot be made: ENOENT: .*set PARALLEL_CLAUDE_STATE_DIRECTORY/,
    );
  });

  test("where its directory cannot be made", async () => {
    await using home = new Home();
    await Bun.write(home.file("file"), "");
    expect(opening(home.file("file/store.sqlite"))).toThrow(
      `The state directory ${home.file("file")} cannot be created: `,
    );
  });

  test("where it is no database", async () => {
    await using home = new Home();
    await Bun.write(home.file("x/store.sqlite"), "this is no database at all. ".repeat(100));
    expect(opening(home.file("x/store.sqlite"))).toThrow(/is damaged .*a new one is created/);
  });

  test("where somebody has locked it before its first use", async () => {
    await using home = new Home();
    mkdirSync(home.file("x"));
    using holder = new Database(home.file("x/store.sqlite"), { create: true });
    holder.run("CREATE TABLE x (y)");
    holder.run("BEGIN EXCLUSIVE");
    expect(opening(home.file("x/store.sqlite"), 20)).toThrow("is locked by another process.");
    holder.run("ROLLBACK");
    // Read it may be, and not changed.
    holder.run("BEGIN IMMEDIATE");
    expect(opening(home.file("x/store.sqlite"), 20)).toThrow("is locked by another process.");
    holder.run("ROLLBACK");
    openDatabase(home.file("x/store.sqlite"), 20).close();
  });
});

test("of two that open a store for the first time, one waits until the other is done", async () => {
  await using home = new Home();
  const file = home.file("store.sqlite");
  const script = `
    const { Database } = await import("bun:sqlite");
    const holder = new Database(${JSON.stringify(file)}, { create: true });
    holder.run("CREATE TABLE x (y)");
    holder.run("BEGIN IMMEDIATE");
    process.stdout.write("locked");
    Bun.sleepSync(150);
    holder.run("COMMIT");
    holder.close();`;
  await using holder = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" });
  for await (const _ of holder.stdout) break;
  using database = openDatabase(file);
  expect(database.query("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
});

describe("an error", () => {
  test("of a lock is busy, a problem of the user's, and the trouble of the place", async () => {
    const error = await busyError();
    expect([isBusy(error), isStoreError(error), isStorageTrouble(error)]).toEqual([true, true, true]);
    const problem = storeProblemOf(error, path);
    expect(problem).toBeInstanceOf(StoreProblem);
    expect(problem?.message).toStartWith(`The store ${path} is locked by another process.`);
    expect([isBusy(problem), isStoreError(problem)]).toEqual([true, true]);
    expect(storeProblemOf(problem, "/another")).toBe(problem ?? never());
    expect(isBusy(new Error("as a tool says it", { cause: problem }))).toBe(true);
  });

  test("that is another one is neither", () => {
    for (const error of [new Error("x"), coded("SQLITE_BUSY"), new StoreProblem("x", "y"), "x", undefined])
      expect(isBusy(error)).toBe(false);
    expect([new Error("x"), coded("SQLITE_FULL"), "x", undefined].map(isStoreError)).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(isStoreError(new StoreProblem("x", "y"))).toBe(true);
  });

  test.each([
    ["SQLITE_FULL", true, "cannot be used"],
    ["SQLITE_IOERR_WRITE", true, "cannot be used"],
    ["SQLITE_READONLY_DBMOVED", true, "cannot be used"],
    ["SQLITE_CANTOPEN", true, "cannot be used"],
    ["SQLITE_PERM", false, "cannot be used"],
    ["SQLITE_CORRUPT_INDEX", false, "is damaged"],
    ["SQLITE_NOTADB", false, "is damaged"],
    ["SQLITE_CONSTRAINT", false, undefined],
    ["ENOSPC", true, undefined],
    ["EROFS", true, undefined],
    ["EDQUOT", true, undefined],
    ["EIO", true, undefined],
    ["ENOENT", false, undefined],
    [5, false, undefined],
  ])("of code %p is the trouble of the place: %p; to the user, the store %p", (code, isTrouble, words) => {
    expect(isStorageTrouble(coded(code))).toBe(isTrouble);
    const problem = storeProblemOf(coded(code), path);
    if (words === undefined) expect(problem).toBeUndefined();
    else expect(problem?.message).toStartWith(`The store ${path} ${words}`);
    if (words !== undefined) expect(problem?.message).toContain("it says why");
  });

  test("without a code is none of the place's", () => {
    for (const error of [new Error("x"), "ENOSPC", undefined]) {
      expect(isStorageTrouble(error)).toBe(false);
      expect(storeProblemOf(error, path)).toBeUndefined();
    }
  });
});

describe("patience", () => {
  /** Fails so many times, and then gives the number of calls. */
  function failing(times: number, error: unknown): () => number {
    let calls = 0;
    return () => {
      calls++;
      if (calls <= times) throw error;
      return calls;
    };
  }

  test("outlasts a lock", async () => {
    expect(await patiently(failing(2, await busyError()))).toBe(3);
    expect(await patiently(failing(0, undefined))).toBe(1);
  });

  test("ends with the lock's error when it is exhausted", async () => {
    const error = await busyError();
    const act = failing(1, error);
    expect(patiently(act, -1)).rejects.toBe(error);
    expect(act()).toBe(2);
  });

  test("is not for other errors", async () => {
    const error = new Error("x");
    const act = failing(1, error);
    expect(patiently(act)).rejects.toBe(error);
    expect(act()).toBe(2);
  });
});

function never(): never {
  throw new Error("not there");
}
