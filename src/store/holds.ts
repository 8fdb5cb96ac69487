// Pauses on new sessions of an account, which all its batches keep: until a time, and then until one session has
// shown that they are over.
import type { Database } from "bun:sqlite";
import { z } from "zod";
import { livenessOf } from "../platform/process.ts";
import { type ProcessIdentity, processIdentity } from "../platform/process-identity.ts";

/** What can hold an account. */
export const holdKinds = ["usage-limit", "auth", "billing"] as const;
export type HoldKind = (typeof holdKinds)[number];

export interface Hold {
  kind: HoldKind;
  /** Part of a model's name that the hold is for, `default` for tasks that name none; empty for all. */
  model: string;
  /** Milliseconds since 1970, as `until` is. */
  since: number;
  /** From then on, one session tries whether it is over. */
  until: number;
  /** In words for people. */
  because: string;
  /** How often that was tried in vain. */
  tries: number;
  /** The runner whose session tries it now. */
  prober?: ProcessIdentity;
}

const rowSchema = z.object({
  kind: z.enum(holdKinds),
  model: z.string(),
  since: z.number(),
  until: z.number(),
  because: z.string(),
  tries: z.number(),
  prober: z.string().nullable(),
});

/** The holds of one account. */
export class Holds {
  readonly #database: Database;
  readonly #account: string;

  constructor(database: Database, account: string) {
    this.#database = database;
    this.#account = account;
  }

  all(): Hold[] {
    const rows = this.#database.query<unknown, [string]>("SELECT * FROM holds WHERE account = ?");
    return rows.all(this.#account).map((row) => {
      const { prober, ...hold } = rowSchema.parse(row);
      return { ...hold, ...(prober === null ? {} : { prober: processIdentity.parse(JSON.parse(prober)) }) };
    });
  }

  /** Begins a hold, or says how it goes on. Since when it lasts stays as it is. */
  place({ kind, model, since, until, because, tries }: Omit<Hold, "prober">): void {
    const place = this.#database.query(
      `INSERT INTO holds VALUES (?, ?, ?, ?, ?, ?, ?, NULL)
         ON CONFLICT DO UPDATE SET until = excluded.until, because = excluded.because,
           tries = excluded.tries, prober = NULL`,
    );
    place.run(this.#account, kind, model, since, until, because, tries);
  }

  /** Takes it on to try whether a hold is over. False when it is too early, or another runner does. */
  claimProbe({ kind, model }: Hold, prober: ProcessIdentity, now: number): boolean {
    const claim = this.#database.transaction(() => {
      const hold = this.all().find((one) => one.kind === kind && one.model === model);
      if (!hold || hold.until > now || (hold.prober && livenessOf(hold.prober) !== "dead")) return false;
      this.#setProber(hold, prober);
      return true;
    });
    return claim.immediate();
  }

  /** The session that tried it has shown nothing: another one may. */
  endProbe(hold: Hold): void {
    this.#setProber(hold, undefined);
  }

  /** It is over. */
  lift({ kind, model }: Pick<Hold, "kind" | "model">): void {
    const lift = this.#database.query("DELETE FROM holds WHERE account = ? AND kind = ? AND model = ?");
    lift.run(this.#account, kind, model);
  }

  /** Lets holds of these kinds be tried at once. Gives how many there were. */
  hasten(kinds: readonly HoldKind[], now: number): number {
    const hasten = this.#database.query(
      "UPDATE holds SET until = min(until, ?) WHERE account = ? AND kind = ?",
    );
    return kinds.reduce((sum, kind) => sum + hasten.run(now, this.#account, kind).changes, 0);
  }

  #setProber({ kind, model }: Hold, prober: ProcessIdentity | undefined): void {
    const change = this.#database.query(
      "UPDATE holds SET prober = ? WHERE account = ? AND kind = ? AND model = ?",
    );
    change.run(prober ? JSON.stringify(prober) : null, this.#account, kind, model);
  }
}
