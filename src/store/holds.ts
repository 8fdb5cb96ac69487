// Pauses on new sessions of an account, shared by all its batches: until a time, and then until one session has shown
// that they are over.
import type { Database } from "bun:sqlite";
import { z } from "zod";
import { type AccessKind, accessKinds } from "../model/outcome.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";
import { holderFrom, holderLives, lastSeen } from "./holder.ts";

/** What can hold an account. */
export type HoldKind = AccessKind;

export interface Hold {
  kind: HoldKind;
  /**
   * Part of a model's name that the hold is for, or the whole name after a `=`; `default` for tasks that name none; empty
   * for all.
   */
  model: string;
  /** Since when its end is unknown, in milliseconds since 1970, as is `until`. */
  since: number;
  /** From then on, one session probes whether it is over. */
  until: number;
  /** In words for people. */
  because: string;
  /** How often it was probed in vain. */
  tries: number;
  /** Whether a session is probing it now. */
  isProbed: boolean;
}

/** What identifies a hold of an account. */
export type HoldName = Pick<Hold, "kind" | "model">;

export function isSame(one: HoldName, other: HoldName): boolean {
  return one.kind === other.kind && one.model === other.model;
}

const rowSchema = z.object({
  kind: z.enum(accessKinds),
  model: z.string(),
  since: z.number(),
  until: z.number(),
  because: z.string(),
  tries: z.number(),
  prober: z.string().nullable(),
  probed_at: z.number(),
});

/** How far clocks are set back by synchronization, in milliseconds. */
const clockToleranceMs = 60_000;

/** Whether to probe a hold now; immediately if the clock was set back to before its beginning. */
export function isDue(hold: Pick<Hold, "since" | "until">, now: number): boolean {
  return hold.until <= now || beganAhead(hold, now);
}

/** Whether a hold begins in the future: then its end is meaningless. */
export function beganAhead({ since }: Pick<Hold, "since">, now: number): boolean {
  return since > now + clockToleranceMs;
}

/** By which name the holds of a machine are kept that batches of this account use: it has an account of its own. */
export function accountOn(account: string, machine: string): string {
  return `${account} ${machine}`;
}

const lastedSchema = z.array(z.object({ kind: z.enum(accessKinds), until: z.number() }));

/** Which kinds of holds are on for any account, and until when the longest of each is, in milliseconds since 1970. */
export function heldKinds(database: Database, now: number): ReadonlyMap<HoldKind, number> {
  const rows = database.query<unknown, [number]>(
    "SELECT kind, max(until) AS until FROM holds WHERE until > ? GROUP BY kind",
  );
  return new Map(lastedSchema.parse(rows.all(now)).map(({ kind, until }) => [kind, until]));
}

/** The holds of one account. */
export class Holds {
  readonly #database: Database;
  readonly #account: string;

  constructor(database: Database, account: string) {
    this.#database = database;
    this.#account = account;
  }

  all(): Hold[] {
    return this.#rows().map(({ prober, probed_at: probedAt, ...hold }) => {
      return { ...hold, isProbed: prober !== null && this.#isTrying(holderFrom(prober), probedAt) };
    });
  }

  // A runner sends a heartbeat every few seconds. For one that has just begun, the probe itself counts.
  #isTrying(holder: ProcessIdentity, probedAt: number): boolean {
    return holderLives({ holder, seenAt: () => Math.max(probedAt, lastSeen(this.#database, holder)) });
  }

  /** Places or updates a hold. Keeps another runner's probe. */
  place({ kind, model, since, until, because, tries }: Omit<Hold, "isProbed">): void {
    const place = this.#database.query(
      `INSERT INTO holds (account, kind, model, since, until, because, tries, prober, probed_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, NULL, 0)
         ON CONFLICT DO UPDATE SET since = excluded.since, until = excluded.until, because = excluded.because,
           tries = excluded.tries`,
    );
    place.run(this.#account, kind, model, since, until, because, tries);
  }

  /** Claims the probe of a hold. False if it is too early, unless `early`, or another runner is probing. */
  claimProbe(named: HoldName, prober: ProcessIdentity, now: number, { early = false } = {}): boolean {
    const claim = this.#database.transaction(() => {
      const hold = this.all().find((one) => isSame(one, named));
      if (!hold || hold.isProbed || !(early || isDue(hold, now))) return false;
      this.#setProber(hold, prober);
      return true;
    });
    return claim.immediate();
  }

  /**
   * Takes over the probe of a dead runner for one of its sessions that still runs. False if the session started before
   * that probe, and so for something else, or if somebody is probing already.
   */
  adoptProbe(named: HoldName, prober: ProcessIdentity, startedAt: number): boolean {
    const adopt = this.#database.transaction(() => {
      const row = this.#rows().find((one) => isSame(one, named));
      const hold = this.all().find((one) => isSame(one, named));
      if (!row || row.prober === null || !hold || hold.isProbed || row.probed_at > startedAt) return false;
      // Keeps the probe's original time, for the next one to take it over.
      this.#setProber(hold, prober, row.probed_at);
      return true;
    });
    return adopt.immediate();
  }

  /** The probing session has shown nothing: another one may probe. */
  endProbe(hold: Hold): void {
    this.#setProber(hold, undefined);
  }

  /** It is over. */
  lift({ kind, model }: HoldName): void {
    const lift = this.#database.query("DELETE FROM holds WHERE account = ? AND kind = ? AND model = ?");
    lift.run(this.#account, kind, model);
  }

  /** Makes all holds due at once, each for one session, also those of its other machines. Returns how many there were. */
  hasten(now: number): number {
    const hasten = this.#database.query(
      "UPDATE holds SET until = min(until, ?1) WHERE account = ?2 OR substr(account, 1, length(?3)) = ?3",
    );
    return hasten.run(now, this.#account, accountOn(this.#account, "")).changes;
  }

  #rows(): z.output<typeof rowSchema>[] {
    const rows = this.#database.query<unknown, [string]>("SELECT * FROM holds WHERE account = ?");
    return rows.all(this.#account).map((row) => rowSchema.parse(row));
  }

  #setProber({ kind, model }: HoldName, prober: ProcessIdentity | undefined, at = Date.now()): void {
    const change = this.#database.query(
      "UPDATE holds SET prober = ?, probed_at = ? WHERE account = ? AND kind = ? AND model = ?",
    );
    change.run(prober ? JSON.stringify(prober) : null, at, this.#account, kind, model);
  }
}
