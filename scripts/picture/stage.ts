// A batch with the fake `claude`, whose sessions do what the story says: each connects to a socket, and is told
// its next step.
import type { Socket } from "bun";
import { z } from "zod";
import { eventually, Home, run } from "../../test/harness.ts";
import { type Part, story } from "./story.ts";

const announcement = z.object({ prompt: z.string() });
const confirmation = z.object({ done: z.string() });

/** A home with the story's batch in it, running. */
export class Stage implements AsyncDisposable {
  readonly home: Home;
  /** Its sessions that stand at their last step, and stay there. */
  waiting = 0;
  readonly #listener: { stop(force: boolean): void };

  readonly #pace: number;

  /** `pace` is what the times of the story are multiplied by. */
  constructor(pace: number) {
    this.#pace = pace;
    const environment: Record<string, string> = { PARALLEL_CLAUDE_NOTIFICATIONS: "false" };
    this.home = new Home(environment);
    const socket = this.home.file("stage");
    environment["FAKE_CLAUDE_DEFAULT"] = `[[socket path=${socket}]]`;
    const texts = new Map<Socket, string>();
    const heard = new Map<Socket, (message: unknown) => void>();
    this.#listener = Bun.listen({
      unix: socket,
      socket: {
        data: (session, bytes) => {
          const lines = `${texts.get(session) ?? ""}${bytes}`.split("\n");
          texts.set(session, lines.pop() ?? "");
          for (const line of lines) {
            const message: unknown = JSON.parse(line);
            const begun = announcement.safeParse(message);
            if (begun.success) void this.#direct(session, begun.data.prompt, heard);
            else heard.get(session)?.(confirmation.parse(message));
          }
        },
      },
    });
  }

  /** Starts the batch, and gives its id. */
  async begin(flags: readonly string[]): Promise<string> {
    const file = this.home.file("tasks.json");
    await Bun.write(file, JSON.stringify(story.map(({ prompt }) => prompt)));
    const { code, out, err } = await run(this.home, ["run", "--detach", "--json", "-f", file, ...flags]);
    if (code !== 0) throw new Error(err);
    return z.object({ batchId: z.string() }).parse(JSON.parse(out)).batchId;
  }

  /** Waits until as many sessions stand at their last step. */
  async standing(sessions: number): Promise<void> {
    const found = () => `${this.waiting} of ${sessions} sessions are where they are to be`;
    await eventually(() => this.waiting === sessions, found, 300_000);
  }

  // From step to step, for as long as each takes.
  async #direct(
    session: Socket,
    prompt: string,
    heard: Map<Socket, (message: unknown) => void>,
  ): Promise<void> {
    const part = story.find((one) => one.prompt === prompt);
    if (!part) throw new Error(`The story knows no ${JSON.stringify(prompt)}`);
    const tell = (directive: string) => {
      const { promise, resolve } = Promise.withResolvers<unknown>();
      heard.set(session, resolve);
      session.write(`[[${directive}]]\n`);
      return promise;
    };
    await this.#play(part, tell);
    if (part.end) session.end();
  }

  async #play({ steps, end }: Part, tell: (directive: string) => Promise<unknown>): Promise<void> {
    if (end) await tell(end.cost);
    if (end) await tell(end.thought);
    for (const [index, { tool, input, ms }] of steps.entries()) {
      const call = `tool name=${tool} input=${JSON.stringify(input)}`;
      if (!end && index === steps.length - 1) {
        void tell(`${call} hang`);
        this.waiting++;
        return;
      }
      await tell(`${call} ms=${Math.round(ms * this.#pace)}`);
    }
    if (end) await tell(end.last);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.stop(true);
    await this.home[Symbol.asyncDispose]();
  }
}
