// Remembered answers: a database of its own, and a transcript for each. Losing it costs money, but no result: every batch
// has its own copy of the transcripts that it took over.
import { Database } from "bun:sqlite";
import { z } from "zod";
import { outcome } from "../model/outcome.ts";
import type { ReuseLimits } from "../model/reuse.ts";
import { exists, makePrivateDirectory, touchPrivately } from "../platform/files.ts";
import { Fingerprints, nothingThere } from "../platform/fingerprints.ts";
import { footprintOf, namesIn } from "../platform/folders.ts";
import { join } from "../platform/paths.ts";
import { removePath } from "../platform/removal.ts";
import { copyPart, nameAgain, type PartOfFile } from "../platform/same-file.ts";
import type { Layout } from "./layout.ts";

/** Another schema replaces the whole database. */
const schemaVersion = 1;
const busyTimeoutMs = 2_000;
/** Answers to the same question, for different contents of the files that it is about. */
const mostPerKey = 4;
const dayMs = 24 * 60 * 60_000;
/** A transcript that no row names may be one that is just being remembered. */
const orphanAgeMs = dayMs;

const schema = `
  CREATE TABLE IF NOT EXISTS answers (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    used_at INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    file TEXT NOT NULL,
    record TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS answers_by_key ON answers (key, id);
  -- Why the last answer to a question was not remembered.
  CREATE TABLE IF NOT EXISTS refusals (
    key TEXT PRIMARY KEY, because TEXT NOT NULL, at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  -- Which model last answered those who asked for one by this name.
  CREATE TABLE IF NOT EXISTS models (asked TEXT PRIMARY KEY, model TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

const answerRecord = z.object({
  batchId: z.string(),
  task: z.int().positive(),
  taskKey: z.string().optional(),
  /** When Claude answered, in milliseconds since 1970. */
  at: z.number(),
  model: z.string(),
  sessionId: z.string(),
  outcome: z.unknown().transform((value, context) => {
    const parsed = outcome.safeParse(value);
    if (parsed.success && parsed.data.kind === "succeeded") return parsed.data;
    context.addIssue("no success");
    return z.NEVER;
  }),
  /** What the session had looked at, with the fingerprint of each. */
  looks: z.array(z.object({ look: z.unknown(), hash: z.string() })),
  /** Whether its process had run other tasks, so that the model had seen `/clear`. */
  behindOthers: z.boolean().optional(),
  /** The hash of the transcript. */
  transcriptHash: z.string(),
});
export type AnswerRecord = z.output<typeof answerRecord>;
/** An answer whose transcript is still another file, or a part of one. Offsets are those in there. */
export type AnswerToKeep = Omit<AnswerRecord, "transcriptHash">;

const row = z.object({ id: z.number(), used_at: z.number(), file: z.string(), record: z.string() });
const refusalRow = z.object({ because: z.string() });
const modelRow = z.object({ model: z.string() });

/** An answer that may be right again. */
export interface Remembered extends AnswerRecord {
  id: number;
  /** Its transcript. */
  path: string;
}

/** What was removed. */
export interface Forgotten {
  answers: number;
  bytes: number;
}

export class RememberedAnswers implements Disposable {
  readonly #database: Database;
  readonly #folder: string;

  /** Creates what is missing. Throws an error of the storage. */
  constructor({ rememberedFolder }: Layout) {
    makePrivateDirectory(rememberedFolder);
    const path = databaseIn(rememberedFolder);
    touchPrivately(path);
    this.#folder = rememberedFolder;
    this.#database = new Database(path, { create: true, strict: true });
    try {
      this.#database.run(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
      this.#database.run("PRAGMA journal_mode = WAL");
      this.#database.run("PRAGMA synchronous = NORMAL");
      this.#prepare();
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  /** The answers to a question, newest first, as far as they were used since `usedSince` (milliseconds since 1970). */
  answersTo(key: string, usedSince: number): Remembered[] {
    return this.#database
      .query<unknown, [string, number]>(
        "SELECT id, used_at, file, record FROM answers WHERE key = ? AND used_at >= ? ORDER BY id DESC",
      )
      .all(key, usedSince)
      .flatMap((found) => {
        const { id, file, record } = row.parse(found);
        const parsed = answerRecord.safeParse(JSON.parse(record));
        return parsed.success ? [{ ...parsed.data, id, path: join(this.#folder, file) }] : [];
      });
  }

  /** Why the last answer to a question was not remembered. */
  refusalOf(key: string): string | undefined {
    const found = this.#database
      .query<unknown, [string]>("SELECT because FROM refusals WHERE key = ?")
      .get(key);
    return found ? refusalRow.parse(found).because : undefined;
  }

  /** The model that last answered those who asked for one by this name. */
  modelOf(asked: string): string | undefined {
    const found = this.#database
      .query<unknown, [string]>("SELECT model FROM models WHERE asked = ?")
      .get(asked);
    return found ? modelRow.parse(found).model : undefined;
  }

  setModel(asked: string, model: string): void {
    if (this.modelOf(asked) === model) return;
    this.#database.query("INSERT OR REPLACE INTO models (asked, model) VALUES (?, ?)").run(asked, model);
  }

  /** Notes that an answer was not remembered, as it follows "the session". */
  refuse(key: string, because: string, now: number): void {
    this.#database
      .query("INSERT OR REPLACE INTO refusals (key, because, at) VALUES (?, ?, ?)")
      .run(key, because, now);
  }

  /**
   * Remembers an answer with a second name for its transcript, or a copy of its part of that, in place of an earlier one for
   * the same contents. First the transcript, then the row: a process that is killed in between leaves a file that nobody
   * uses. Returns false if the transcript cannot be compared later. Throws if it is not there.
   */
  add(
    key: string,
    answer: AnswerToKeep,
    { path: transcript, from = 0, to }: PartOfFile & { path: string },
    now: number,
  ): boolean {
    const file = `${Bun.randomUUIDv7()}.ndjson`;
    const path = join(this.#folder, file);
    // A file that other answers are in goes on growing.
    if (from === 0 && to === undefined) nameAgain(transcript, path);
    else copyPart(transcript, path, { from, to });
    const copy = new Fingerprints().file(path);
    if ("unknown" in copy || copy.hash === nothingThere) {
      removePath(path);
      return false;
    }
    const outcome = movedBack(answer.outcome, from);
    const record: AnswerRecord = { ...answer, outcome, transcriptHash: copy.hash };
    const { bytes } = footprintOf(path);
    const replaced = this.#database
      .transaction(() => {
        const earlier = this.answersTo(key, 0);
        const same = (one: Remembered) =>
          Bun.deepEquals(one.looks, record.looks) && one.behindOthers === record.behindOthers;
        const others = earlier.filter((one) => !same(one));
        const gone = [...earlier.filter(same), ...others.slice(mostPerKey - 1)];
        for (const { id } of gone) this.#remove(id);
        this.#database.query("DELETE FROM refusals WHERE key = ?").run(key);
        this.#database
          .query("INSERT INTO answers (key, used_at, bytes, file, record) VALUES (?, ?, ?, ?, ?)")
          .run(key, now, bytes, file, JSON.stringify(record));
        return gone;
      })
      .immediate();
    for (const one of replaced) removePath(one.path);
    return true;
  }

  /** Notes that answers were used. */
  used(ids: readonly number[], now: number): void {
    const update = this.#database.query("UPDATE answers SET used_at = ? WHERE id = ?");
    this.#database.transaction(() => ids.forEach((id) => void update.run(now, id))).immediate();
  }

  /** Forgets an answer whose transcript is gone or damaged. */
  forget({ id, path }: Pick<Remembered, "id" | "path">): void {
    this.#remove(id);
    removePath(path);
  }

  /**
   * Forgets what is too old, then what was not used for the longest time until the rest is small enough, and transcripts
   * that no row names. With `dryRun`, only says what would go.
   */
  tidy({ days, megabytes }: ReuseLimits, now: number, { dryRun = false } = {}): Forgotten {
    const all = z
      .array(z.object({ id: z.number(), used_at: z.number(), bytes: z.number(), file: z.string() }))
      .parse(
        this.#database
          .query("SELECT id, used_at, bytes, file FROM answers ORDER BY used_at DESC, id DESC")
          .all(),
      );
    let kept = 0;
    const gone = all.filter(({ used_at, bytes }) => {
      const stays = used_at >= now - days * dayMs && kept + bytes <= megabytes * 1e6;
      if (stays) kept += bytes;
      return !stays;
    });
    const files = new Set(all.map(({ file }) => file));
    const orphans = [...namesIn(this.#folder)].filter(
      (name) =>
        /\.(?:ndjson|part)$/.test(name) &&
        !files.has(name) &&
        footprintOf(join(this.#folder, name)).changedAt < now - orphanAgeMs,
    );
    if (!dryRun) {
      for (const { id, file } of gone) this.forget({ id, path: join(this.#folder, file) });
      for (const name of orphans) removePath(join(this.#folder, name));
      this.#database.query("DELETE FROM refusals WHERE at < ?").run(Math.round(now - days * dayMs));
    }
    return { answers: gone.length, bytes: gone.reduce((sum, { bytes }) => sum + bytes, 0) };
  }

  #remove(id: number): void {
    this.#database.query("DELETE FROM answers WHERE id = ?").run(id);
  }

  #prepare(): void {
    this.#database
      .transaction(() => {
        const version = this.#database
          .query<{ user_version: number }, []>("PRAGMA user_version")
          .get()?.user_version;
        if (version === schemaVersion) return;
        for (const table of ["answers", "refusals", "models"])
          this.#database.run(`DROP TABLE IF EXISTS ${table}`);
        this.#database.run(schema);
        this.#database.run(`PRAGMA user_version = ${schemaVersion}`);
      })
      .immediate();
  }
}

// Where its lines are in a copy that begins later.
function movedBack(outcome: AnswerRecord["outcome"], by: number): AnswerRecord["outcome"] {
  const { offset, earlierOffsets, laterOffsets } = outcome;
  const moved = (offsets: readonly number[]) => offsets.map((one) => one - by);
  return {
    ...outcome,
    offset: offset - by,
    ...(earlierOffsets ? { earlierOffsets: moved(earlierOffsets) } : {}),
    ...(laterOffsets ? { laterOffsets: moved(laterOffsets) } : {}),
  };
}

/** Whether anything was ever remembered. */
export function hasRemembered({ rememberedFolder }: Layout): boolean {
  return exists(databaseIn(rememberedFolder));
}

function databaseIn(folder: string): string {
  return join(folder, "answers.sqlite");
}
