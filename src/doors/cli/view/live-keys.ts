// The keys of a live view: what they do to the batch, one after another, and what the view says of them.
import { batchOptions } from "../../../model/options.ts";
import type { BatchState } from "../../../model/state.ts";
import { cancelBatch } from "../../../operations/batches.ts";
import { changeBatch } from "../../../operations/change.ts";
import { besideContext, type Context, UserError } from "../../../operations/context.ts";
import { openPage } from "../../../operations/open-page.ts";
import { retryBatch } from "../../../operations/retry.ts";
import { clock } from "../../../platform/clock.ts";
import { ownIdentity } from "../../../platform/process.ts";
import { messageOf } from "../../../platform/system-error.ts";
import { TerminalKeys } from "../../../platform/terminal-keys.ts";
import { commandCall } from "../input/command.ts";
import { flagWording } from "../input/flag-wording.ts";
import type { KeysOfView, LiveView } from "./live-view.ts";
import { PressedKeys } from "./pressed-keys.ts";

/** What stands below the view. */
const texts = {
  hint: ["? shows the keys"],
  question: ["Cancel the batch? y cancels it, and any other key goes on."],
  help: [
    "p pauses, or goes on · + and - change how many run at once · c cancels",
    "r reruns what failed · Enter opens the page · ? hides this",
  ],
} as const;

/** The keys that are pressed in the terminal of this process do something to a batch that it shows. */
export class LiveKeys implements KeysOfView {
  readonly #input: TerminalKeys;
  readonly #view: Pick<LiveView, "say" | "changed">;
  readonly #context: Context;
  readonly #state: BatchState;
  readonly #ticking: Disposable;
  readonly #pressed = new PressedKeys();
  #shows: keyof typeof texts = "hint";
  /** What was pressed is done in its order. */
  #last: Promise<void> = Promise.resolve();
  #isOver = false;

  private constructor(input: TerminalKeys, view: LiveView, context: Context, state: BatchState) {
    this.#input = input;
    this.#view = view;
    this.#context = context;
    this.#state = state;
    input.take();
    this.#ticking = clock.on("soon", () => this.#look());
  }

  /** Where there is a keyboard, until the view ends. */
  static async open(view: LiveView, context: Context, state: BatchState): Promise<void> {
    const input = await TerminalKeys.open();
    if (input) view.attach(new LiveKeys(input, view, context, state));
  }

  get said() {
    return { lines: texts[this.#shows], isAsked: this.#shows !== "hint" };
  }

  take(): void {
    this.#input.take();
  }

  giveBack(): void {
    this.#input.giveBack();
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#ticking[Symbol.dispose]();
    this.#input[Symbol.dispose]();
  }

  #look(): void {
    // Who was stopped by another process, or was in the background, has lost them.
    this.#input.take();
    const pressed = this.#pressed.of(this.#input.read());
    if (pressed === "") return;
    const wasAsking = this.#shows === "question";
    for (const key of pressed) {
      // A question is for who has read it.
      if (this.#shows === "question" && !wasAsking) break;
      this.#press(key);
    }
    this.#view.changed();
  }

  #press(key: string): void {
    if (this.#shows === "question") {
      this.#shows = "hint";
      if (key.toLowerCase() === "y") this.#do(() => this.#cancel());
      return;
    }
    if (key === "?") this.#shows = this.#shows === "help" ? "hint" : "help";
    else if (key === "c") this.#shows = "question";
    else if (key === "p") this.#do((context) => this.#pause(context));
    else if (key === "+" || key === "=") this.#do((context) => this.#changeNumber(context, 1));
    else if (key === "-" || key === "_") this.#do((context) => this.#changeNumber(context, -1));
    else if (key === "r") this.#do((context) => this.#retry(context));
    else if (key === "\r" || key === "\n") this.#do((context) => this.#open(context));
  }

  // Through a connection of its own, because a runner in this process looks for commits of *other* connections.
  #do(act: (context: Context) => Promise<string>): void {
    this.#last = this.#last.then(async () => {
      if (this.#isOver) return;
      try {
        using context = besideContext(this.#context);
        this.#say(await act(context));
      } catch (error) {
        this.#say(error instanceof UserError ? error.textIn(flagWording([])) : messageOf(error));
      }
    });
  }

  #say(text: string): void {
    if (!this.#isOver) this.#view.say(text);
  }

  get #batchId(): string {
    return this.#state.batch.batchId;
  }

  async #pause(context: Context): Promise<string> {
    const pause = this.#newest(context).paused === undefined;
    await changeBatch.run(context, { batchId: this.#batchId, pause }, commandCall());
    return pause
      ? "Paused: no more sessions start, and those that run go on to their end. p lets the batch go on."
      : "The batch goes on.";
  }

  async #changeNumber(context: Context, step: 1 | -1): Promise<string> {
    const { batch, counts } = this.#newest(context);
    if (batch.concurrency === "auto" && step > 0)
      return "As many sessions run at once as the machine and the account allow.";
    const from = batch.concurrency === "auto" ? Math.max(counts.running, 1) : batch.concurrency;
    const wanted = batchOptions.shape.concurrency.safeParse(from + step);
    if (!wanted.success) return `At most ${from} at once: fewer is a pause, with p.`;
    await changeBatch.run(context, { batchId: this.#batchId, concurrency: wanted.data }, commandCall());
    return `At most ${wanted.data} at once from now on.`;
  }

  // A key that is held down comes again before the view has seen its effect.
  #newest({ store }: Context): BatchState {
    return store.batch(this.#state.batch.batchId)?.state ?? this.#state;
  }

  async #cancel(): Promise<string> {
    using context = besideContext(this.#context);
    await cancelBatch.run(context, { batchId: this.#batchId }, commandCall());
    return "The batch is being cancelled.";
  }

  async #retry(context: Context): Promise<string> {
    const call = { ...commandCall(), leash: ownIdentity() };
    const { message } = await retryBatch.run(context, { batchId: this.#batchId }, call);
    return message;
  }

  async #open(context: Context): Promise<string> {
    const { reportFile, failure } = await openPage.run(context, { batchId: this.#batchId }, commandCall());
    return failure === undefined
      ? `The page: ${reportFile}`
      : `The page was not opened: ${failure}. It is ${reportFile}`;
  }
}
