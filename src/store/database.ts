// Opens the store: SQLite in the user's state directory, configured for several processes at once.
import { Database, SQLiteError } from "bun:sqlite";
import { product } from "../model/product.ts";
import { closeToOthers, exists, makePrivateDirectory, touchPrivately } from "../platform/files.ts";
import { networkFileSystemOf } from "../platform/network-file-systems.ts";
import { dirname } from "../platform/paths.ts";
import { codeOf, messageOf } from "../platform/system-error.ts";
import { isFileOfOurs } from "./layout.ts";
import { migrations } from "./migrations.ts";

/** A problem with the store that a user can fix; the message says how. */
export class StoreProblem extends Error {
  /** One sentence. */
  readonly problem: string;
  readonly remedy: string;

  constructor(problem: string, remedy: string) {
    super(`${problem} ${remedy}`);
    this.problem = problem;
    this.remedy = remedy;
  }
}

/** Another process has the store locked. */
class StoreLocked extends StoreProblem {}

/** "pccm", to distinguish our file from other programs'. */
const applicationId = 0x7063636d;

/** Longest wait for another process's transaction, in milliseconds. */
const usualBusyTimeoutMs = 10_000;

/**
 * The store's database, created or migrated if needed. Throws `StoreProblem` for what the user can fix. Blocks for at
 * most `busyTimeoutMs` while another process writes.
 */
export function openDatabase(path: string, busyTimeoutMs = usualBusyTimeoutMs): Database {
  prepareDirectory(dirname(path));
  let database: Database | undefined;
  try {
    touchPrivately(path);
    database = new Database(path, { create: true, strict: true });
    // Must be the first statement: without it, most of several simultaneous first opens fail with SQLITE_BUSY.
    database.run(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    enterWriteAheadMode(database, busyTimeoutMs);
    database.run("PRAGMA synchronous = NORMAL");
    migrate(database, path);
    return database;
  } catch (error) {
    database?.close();
    throw asProblem(error, path);
  }
}

function prepareDirectory(directory: string): void {
  try {
    makePrivateDirectory(directory);
    closeToOthers(directory, isFileOfOurs);
  } catch (error) {
    throw new StoreProblem(
      `The state directory ${directory} cannot be created: ${messageOf(error)}.`,
      "Set PARALLEL_CLAUDE_STATE_DIRECTORY to a directory that you can write.",
    );
  }
  const network = networkFileSystemOf(directory);
  if (network === undefined) return;
  throw new StoreProblem(
    `The state directory ${directory} is on a network file system (${network}), where SQLite's locks are not reliable.`,
    `Set PARALLEL_CLAUDE_STATE_DIRECTORY to a local directory.`,
  );
}

// SQLite neither waits for the lock that this change needs, nor allows it in a transaction.
function enterWriteAheadMode(database: Database, busyTimeoutMs: number): void {
  const mode = () => database.query<{ journal_mode: string }, []>("PRAGMA journal_mode").get()?.journal_mode;
  const deadline = Bun.nanoseconds() + busyTimeoutMs * 1e6;
  while (mode() !== "wal") {
    try {
      database.run("PRAGMA journal_mode = WAL");
    } catch (error) {
      if (!isBusy(error) || Bun.nanoseconds() > deadline) throw error;
      Bun.sleepSync(1 + Math.random() * 10);
    }
  }
}

function migrate(database: Database, path: string): void {
  if (versionOf(database) === migrations.length) return;
  database
    .transaction(() => {
      // Another process may have been faster, so read the version again inside the transaction.
      const version = versionOf(database);
      if (version > migrations.length) {
        throw new StoreProblem(
          `The store ${path} was written by a newer ${product.name} (schema ${version}, this one knows ${migrations.length}).`,
          `Update this program, or set PARALLEL_CLAUDE_STATE_DIRECTORY to another directory.`,
        );
      }
      for (const migration of migrations.slice(version)) database.run(migration);
      database.run(`PRAGMA application_id = ${applicationId}`);
      database.run(`PRAGMA user_version = ${migrations.length}`);
    })
    .immediate();
}

function versionOf(database: Database): number {
  return database.query<{ user_version: number }, []>("PRAGMA user_version").get()?.user_version ?? 0;
}

/** Whether the error comes from storage (full, read-only, missing, damaged) rather than a bug. */
export function isStorageTrouble(error: unknown): error is Error {
  const code = codeOf(error) ?? "";
  return /^(?:SQLITE_(?:FULL|IOERR|READONLY|CANTOPEN|BUSY)|ENOSPC|EROFS|EDQUOT|EIO)/.test(code);
}

/** Whether another process has the store locked. */
export function isBusy(error: unknown): boolean {
  return (
    error instanceof StoreLocked ||
    (error instanceof Error && error.cause instanceof StoreLocked) ||
    (error instanceof SQLiteError && (error.code?.startsWith("SQLITE_BUSY") ?? false))
  );
}

/** Whether the error comes from SQLite, or from us in its place. */
export function isStoreError(error: unknown): boolean {
  return error instanceof SQLiteError || error instanceof StoreProblem;
}

/** What an error of the store means for its user, and what to do; undefined for any other error. */
export function storeProblemOf(error: unknown, path: string): StoreProblem | undefined {
  if (error instanceof StoreProblem) return error;
  const code = codeOf(error);
  if (code === undefined) return undefined;
  const message = messageOf(error);
  if (isBusy(error)) {
    return new StoreLocked(
      `The store ${path} is locked by another process.`,
      `Check what has it open, such as a database browser or a backup, close that, and try again. Batches that run wait for it, and lose nothing.`,
    );
  }
  if (/^SQLITE_(?:NOTADB|CORRUPT)/.test(code)) {
    return new StoreProblem(
      `The store ${path} is damaged (${message}).`,
      `Move it away, for example with \`mv ${path} ${path}.damaged\`; a new one is created at the next start. Transcripts and result files are not affected.`,
    );
  }
  if (!/^SQLITE_(?:FULL|IOERR|READONLY|CANTOPEN|PERM|AUTH|NOLFS|PROTOCOL)/.test(code)) return undefined;
  return new StoreProblem(`The store ${path} cannot be used: ${message}.`, usableAdvice);
}

const usableAdvice =
  "Check that the directory is yours, writable and not full, or set PARALLEL_CLAUDE_STATE_DIRECTORY to another one.";

// While opening, every other failure concerns the file's place too.
function asProblem(error: unknown, path: string): unknown {
  const problem = storeProblemOf(error, path);
  if (problem || !(error instanceof Error)) return problem ?? error;
  const code = codeOf(error) ?? "";
  // From SQLite or from the system, such as EISDIR if a directory has the name.
  if (!/^(?:SQLITE_|E[A-Z]+$)/.test(code)) return error;
  const what = exists(path) ? "opened" : "made";
  return new StoreProblem(`The store ${path} cannot be ${what}: ${error.message}.`, usableAdvice);
}
