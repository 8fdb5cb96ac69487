// The first session of a batch shows that the login works before the others get their prompts: a failing login costs one
// attempt, not hundreds. What one batch has shown holds for all batches of the account, for some minutes.
import { awaitsProof } from "../../model/wait-reason.ts";
import type { SharedProofs } from "../shared/shared-store.ts";

/** Replies come in a steady stream, so not each is stored. In milliseconds. */
const keepEveryMs = 60_000;

interface ProofParts {
  /** How long the others wait at most, in milliseconds. */
  patienceMs: number;
  /** Whether a session of the batch was answered before. */
  hasAnswered: boolean;
  /** What is known of the account. */
  proofs: SharedProofs;
}

export class LoginProof {
  readonly #parts: ProofParts;
  #proven: boolean;
  #keptAt = Number.NEGATIVE_INFINITY;
  #prover: { number: number; startedAt: number; isDoubtful: boolean } | undefined;

  constructor(parts: ProofParts) {
    this.#parts = parts;
    this.#proven = parts.hasAnswered || parts.patienceMs === 0;
  }

  /** Why no other session gets its prompt now; undefined if one may. */
  whyWait(): string | undefined {
    if (this.#proven || !this.#prover) return undefined;
    // A session that thinks for long before its first word has passed the login, which fails within a second.
    const { startedAt, isDoubtful } = this.#prover;
    const isLate = performance.now() - startedAt > this.#parts.patienceMs;
    if (!isDoubtful && (isLate || this.#parts.proofs.isProven(Date.now()))) this.#proven = true;
    return this.#proven ? undefined : awaitsProof;
  }

  /** A session gets its prompt. */
  started(number: number): void {
    this.#prover ??= { number, startedAt: performance.now(), isDoubtful: false };
  }

  /** The API has refused the login of a session; the CLI retries for minutes before it reports that. */
  doubted(number: number): void {
    if (this.#prover?.number === number) this.#prover.isDoubtful = true;
    this.#keptAt = Number.NEGATIVE_INFINITY;
    this.#parts.proofs.lose();
  }

  /** The API has answered a session. */
  answered(): void {
    this.#proven = true;
    const now = performance.now();
    if (now - this.#keptAt < keepEveryMs) return;
    this.#keptAt = now;
    this.#parts.proofs.keep(Date.now());
  }

  /** A session has ended; if it has shown nothing, the next one is the proof. */
  ended(number: number): void {
    if (this.#prover?.number === number) this.#prover = undefined;
  }
}
