// The right to write one result file. The process that has it runs the task; all others wait, on this machine and on others
// that share the folder. A claim is a file beside the result: other machines see neither our store nor our processes.
import { z } from "zod";
import { batchIdSchema } from "../model/batch-id.ts";
import { clock, monotonicMs } from "../platform/clock.ts";
import { livenessOf, ownIdentity } from "../platform/process.ts";
import { type ProcessIdentity, processIdentity } from "../platform/process-identity.ts";
import { systemCode } from "../platform/system-error.ts";
import { placeNewFile, readHead, removeFileWith, replaceFile } from "../platform/whole-files.ts";
import { staleAfterMs } from "../store/holder.ts";

/** Larger is no claim of ours, in bytes. */
const mostBytes = 10_000;

/** What the holder of a claim runs. */
const claimedTask = z.object({
  /** The batch, in the store of the machine that it runs on. */
  batchId: batchIdSchema,
  /** Of the spec. */
  digest: z.string(),
});
export type ClaimedTask = z.infer<typeof claimedTask>;

const claimText = z.object({
  /** Of this claim and no other. */
  token: z.string(),
  /** Grows with each sign of life. Nobody compares the clocks of machines. */
  beat: z.int(),
  process: processIdentity,
  task: claimedTask.optional(),
});
type ClaimText = z.infer<typeof claimText>;

/** Who has a claim; undefined if that cannot be read. */
type Holder = ProcessIdentity | undefined;

interface Taking {
  /** Ends the waiting. */
  signal: AbortSignal;
  /** Called once, before the first wait. */
  waits(holder: Holder): void;
  /** How long a claim stands without a sign of life if its process is not visible from here, in milliseconds. */
  staleMs?: number;
}

/** The claim that belongs to the file of a result. */
export function claimPathOf(out: string): string {
  return `${out}.claim`;
}

export class ResultClaim implements AsyncDisposable {
  readonly #path: string;
  readonly #token = crypto.randomUUID();
  readonly #lost = new AbortController();
  #beat = 0;
  #text = "";
  #task: ClaimedTask | undefined;
  #isKept = false;
  #beating: Disposable | undefined;
  /** The last write, which the next one and the end wait for. */
  #written: Promise<void> = Promise.resolve();

  private constructor(path: string) {
    this.#path = path;
  }

  /**
   * Waits until nobody else has it. Undefined if the signal is aborted before. Throws what the system says if the folder
   * cannot be written.
   */
  static async take(out: string, taking: Taking): Promise<ResultClaim | undefined> {
    const claim = new ResultClaim(claimPathOf(out));
    return (await claim.#take(taking)) ? claim : undefined;
  }

  /** Aborted once somebody else has the claim: this process was stopped for so long that it counted as dead. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * What this process runs, as it said with `begins`. Before that, what the process ran that left this claim behind: it may have
   * been paid for.
   */
  get task(): ClaimedTask | undefined {
    return this.#task;
  }

  /** Notes what this process runs, for the next one if this one is killed, or cannot write the result. */
  async begins(task: ClaimedTask): Promise<void> {
    this.#task = task;
    await this.#showNext();
  }

  /** Lets the claim stay when this process ends: its result could not be written, and by the claim the next one finds it. */
  keep(): void {
    this.#isKept = true;
  }

  /** Gives the claim back. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#beating?.[Symbol.dispose]();
    await this.#written;
    if (!this.lost.aborted && !this.#isKept) await removeFileWith(this.#path, this.#text);
  }

  async #take({ signal, waits, staleMs = staleAfterMs }: Taking): Promise<boolean> {
    let seen: { text: string; at: number } | undefined;
    let hasWaited = false;
    while (!signal.aborted) {
      await this.#place();
      const text = await textAt(this.#path);
      // Looked at in any case: a network file system may report that a link exists which it has just made, and one without
      // links lets two of us put a file there.
      if (text !== undefined && this.#isOwn(text)) {
        this.#text = text;
        this.#beating = clock.on("heartbeat", () => void this.#showNext());
        return true;
      }
      // Given back meanwhile.
      if (text === undefined) continue;
      if (text !== seen?.text) seen = { text, at: monotonicMs() };
      const claimed = claimIn(text);
      if (isLeft(claimed?.process, monotonicMs() - seen.at, staleMs)) {
        this.#task = claimed?.task;
        await removeFileWith(this.#path, text);
        continue;
      }
      if (!hasWaited) waits(claimed?.process);
      hasWaited = true;
      await untilNextLook(signal);
    }
    return false;
  }

  async #place(): Promise<boolean> {
    const text = this.#nextText();
    if (!(await placeNewFile(this.#path, text))) return false;
    this.#text = text;
    return true;
  }

  // Who wanted to remove one that was left behind may have taken ours away for a moment, and put it back: then it may be older than
  // the last one.
  #isOwn(text: string): boolean {
    return claimIn(text)?.token === this.#token;
  }

  #nextText(): string {
    this.#beat++;
    const text: ClaimText = {
      token: this.#token,
      beat: this.#beat,
      process: ownIdentity(),
      ...(this.#task ? { task: this.#task } : {}),
    };
    return `${JSON.stringify(text)}\n`;
  }

  #showNext(): Promise<void> {
    this.#written = this.#written.then(() => this.#show());
    return this.#written;
  }

  // A sign of life.
  async #show(): Promise<void> {
    if (this.lost.aborted) return;
    try {
      let there = await textAt(this.#path);
      // If the name is taken by then, it is ours that was put back, or another one's.
      while (there === undefined && !(await this.#place())) there = await textAt(this.#path);
      if (there === undefined) return;
      if (!this.#isOwn(there)) return this.#lost.abort();
      const next = this.#nextText();
      await replaceFile(this.#path, next);
      this.#text = next;
    } catch {
      // The file server does not answer, or the disk is full. The next beat tries again, and who waits has a minute of
      // patience.
    }
  }
}

// Undefined if there is none. It may go, or be replaced, while it is opened.
async function textAt(path: string): Promise<string | undefined> {
  try {
    return await readHead(path, mostBytes);
  } catch (error) {
    if (["ENOENT", "ESTALE"].includes(systemCode(error) ?? "")) return undefined;
    throw error;
  }
}

function claimIn(text: string): ClaimText | undefined {
  try {
    return claimText.safeParse(JSON.parse(text)).data;
  } catch {
    // Somebody else's file.
    return undefined;
  }
}

function isLeft(holder: Holder, unchangedMs: number, staleMs: number): boolean {
  const liveness = holder ? livenessOf(holder) : "unknown";
  return liveness === "dead" || (liveness === "unknown" && unchangedMs >= staleMs);
}

async function untilNextLook(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = () => resolve();
  signal.addEventListener("abort", wake);
  await Promise.race([promise, clock.next("second")]);
  signal.removeEventListener("abort", wake);
}
