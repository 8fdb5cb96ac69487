// The first session of a batch shows that the login works before the others start: a login that does not costs one
// attempt, and not hundreds. It also writes the prompt cache that the others read.
export class LoginProof {
  readonly #patienceMs: number;
  #proven: boolean;
  #prover: { number: number; began: number; isDoubtful: boolean } | undefined;

  /** `patienceMs`: how long the others wait at most. */
  constructor(patienceMs: number, proven: boolean) {
    this.#patienceMs = patienceMs;
    this.#proven = proven || patienceMs === 0;
  }

  /** Why no other session starts now; nothing when one may. */
  hindrance(): string | undefined {
    if (this.#proven || !this.#prover) return undefined;
    // One that thinks for long before its first word has passed the login, which fails within a second.
    const { began, isDoubtful } = this.#prover;
    if (!isDoubtful && performance.now() - began > this.#patienceMs) this.#proven = true;
    return this.#proven ? undefined : "Waits for the first session, which proves that the login works.";
  }

  /** A session starts. */
  began(number: number): void {
    this.#prover ??= { number, began: performance.now(), isDoubtful: false };
  }

  /** The API has refused the login; the CLI asks again, for minutes, before it says so. */
  doubted(number: number): void {
    if (this.#prover?.number === number) this.#prover.isDoubtful = true;
  }

  /** The API has answered a session. */
  answered(): void {
    this.#proven = true;
  }

  /** A session has ended; if it has shown nothing, the next one does. */
  ended(number: number): void {
    if (this.#prover?.number === number) this.#prover = undefined;
  }
}
