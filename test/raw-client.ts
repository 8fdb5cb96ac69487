// A client that writes the messages of 2026-07-28 itself: for what no SDK client speaks, and for looking at the wire.
import { type Home, program } from "./harness.ts";

export const tasksExtension = "io.modelcontextprotocol/tasks";

export interface Reply {
  result?: Record<string, unknown>;
  error?: { code: number; message: string; data?: unknown };
}

interface RawOptions {
  /** `clientInfo.name`. */
  name?: string;
  /** Of each request, unless it says otherwise. */
  extensions?: Record<string, object>;
  /** More of the `_meta` of each request. */
  meta?: Record<string, string>;
}

export class RawClient implements AsyncDisposable {
  readonly #child;
  readonly #name: string;
  readonly #extensions: Record<string, object>;
  readonly #more: Record<string, string>;
  readonly #open = new Map<number, (reply: Reply) => void>();
  readonly notifications: { method: string; params?: Record<string, unknown> }[] = [];
  #id = 0;

  constructor(home: Home, { name = "raw", extensions = {}, meta = {} }: RawOptions = {}) {
    this.#name = name;
    this.#more = meta;
    this.#extensions = extensions;
    this.#child = Bun.spawn(program(), {
      cwd: home.work,
      env: home.environment,
      stdin: "pipe",
      stdout: "pipe",
      stderr: "ignore",
    });
    void this.#read();
  }

  get pid(): number {
    return this.#child.pid;
  }

  async ask(method: string, params: object = {}, extensions = this.#extensions): Promise<Reply> {
    const id = ++this.#id;
    const { promise, resolve } = Promise.withResolvers<Reply>();
    this.#open.set(id, resolve);
    this.send({ id, method, params: { ...params, _meta: this.#meta(extensions) } });
    return promise;
  }

  call(name: string, input: object, extensions = this.#extensions): Promise<Reply> {
    return this.ask("tools/call", { name, arguments: input }, extensions);
  }

  /** Opens a stream of notifications. */
  listen(notifications: object): void {
    this.send({
      id: "listen",
      method: "subscriptions/listen",
      params: { notifications, _meta: this.#meta(this.#extensions) },
    });
  }

  send(message: object): void {
    this.#child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
    this.#child.stdin.flush();
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end();
    await this.#child.exited;
  }

  #meta(extensions: Record<string, object>) {
    return {
      ...this.#more,
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientInfo": { name: this.#name, version: "1" },
      "io.modelcontextprotocol/clientCapabilities": { extensions },
    };
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    let pending = "";
    for await (const piece of this.#child.stdout) {
      const lines = (pending + decoder.decode(piece, { stream: true })).split("\n");
      pending = lines.pop() ?? "";
      for (const line of lines) this.#take(JSON.parse(line));
    }
  }

  #take(message: Reply & { id?: number; method?: string; params?: Record<string, unknown> }): void {
    if (message.method !== undefined) {
      this.notifications.push({
        method: message.method,
        ...(message.params ? { params: message.params } : {}),
      });
    } else if (message.id !== undefined) this.#open.get(message.id)?.(message);
  }
}
