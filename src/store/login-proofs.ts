// Whether the login of an account works: for a while after the API has answered any of its sessions, in any batch.
import type { Database } from "bun:sqlite";
import { z } from "zod";

/** How long a reply counts as proof, in milliseconds: as long as the prompt cache that the session has written. */
const provesForMs = 5 * 60_000;

const proofRow = z.object({ proven_at: z.number() });

/** The proof of one account. */
export class LoginProofs {
  readonly #database: Database;
  readonly #account: string;

  constructor(database: Database, account: string) {
    this.#database = database;
    this.#account = account;
  }

  /** Whether the login was proven recently. A time in the future is from before the clock was set back. */
  isProven(now: number): boolean {
    const row = this.#database
      .query<unknown, [string]>("SELECT proven_at FROM login_proofs WHERE account = ?")
      .get(this.#account);
    return row !== null && Math.abs(now - proofRow.parse(row).proven_at) < provesForMs;
  }

  /** The API has answered. */
  keep(now: number): void {
    this.#database
      .query("INSERT OR REPLACE INTO login_proofs (account, proven_at) VALUES (?, ?)")
      .run(this.#account, now);
  }

  /** The API has refused the login. */
  lose(): void {
    this.#database.query("DELETE FROM login_proofs WHERE account = ?").run(this.#account);
  }
}
