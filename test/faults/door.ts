// A client that never gives up: when its server dies, it connects to a new one, as an editor does.
import { type Answer, type CallOptions, connectNew, type Home, type TestClient } from "../harness.ts";

export class Door implements AsyncDisposable {
  readonly #home: Home;
  #client: TestClient;
  /** How often a server was started. */
  connections = 1;

  private constructor(home: Home, client: TestClient) {
    this.#home = home;
    this.#client = client;
  }

  static async open(home: Home): Promise<Door> {
    return new Door(home, await connectNew(home));
  }

  get pid(): number {
    return this.#client.pid;
  }

  /** The answer; nothing when the server died over it, or refused: the next call goes to a new one. */
  async call(name: string, input: Record<string, unknown>, options?: CallOptions): Promise<Answer> {
    try {
      return await this.#client.call(name, input, options);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      await this.#reconnect();
      return { isError: true, text, data: undefined };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }

  // The new server may be hit while it says hello.
  async #reconnect(): Promise<void> {
    await this.#client.close().catch(() => undefined);
    for (;;) {
      this.connections++;
      const client = await inTime(connectNew(this.#home));
      if (!client) continue;
      this.#client = client;
      return;
    }
  }
}

/** How long a server may take to say hello, in milliseconds. */
const helloMs = 20_000;

// Nothing when the server died, or was stopped, before it answered.
async function inTime(connecting: Promise<TestClient>): Promise<TestClient | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(late.resolve, helloMs, undefined);
  const client = await Promise.race([connecting.catch(() => undefined), late.promise]);
  clearTimeout(timer);
  return client;
}
