// A receiver of traces on loopback, and what it was sent.
import { z } from "zod";

const value = z.union([
  z.object({ stringValue: z.string() }).transform(({ stringValue }) => stringValue),
  z.object({ doubleValue: z.number() }).transform(({ doubleValue }) => doubleValue),
  z.object({ intValue: z.union([z.string(), z.number()]) }).transform(({ intValue }) => Number(intValue)),
  // Of others than us: flags and lists, which no test asks for.
  z.unknown().transform((other) => JSON.stringify(other)),
]);
const attributes = z
  .array(z.object({ key: z.string(), value }))
  .transform((all) => Object.fromEntries(all.map(({ key, value: of }) => [key, of])));
const span = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  kind: z.number(),
  startTimeUnixNano: z.string(),
  endTimeUnixNano: z.string(),
  attributes,
  status: z.object({ code: z.number().optional() }),
});
export type ReceivedSpan = z.output<typeof span>;

const body = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes }),
      scopeSpans: z.array(z.object({ spans: z.array(span) })),
    }),
  ),
});

export class OtlpReceiver implements AsyncDisposable {
  readonly requests: { path: string; headers: Headers; text: string }[] = [];
  /** The next answers, in order; afterwards, everything is taken. */
  readonly answers: (() => Response | Promise<Response>)[] = [];
  readonly #server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      const { pathname } = new URL(request.url);
      this.requests.push({ path: pathname, headers: request.headers, text: await request.text() });
      const answer = this.answers.shift();
      return answer ? await answer() : Response.json({ partialSuccess: {} });
    },
  });

  get address(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  /** The resources that were said to have sent spans. */
  get resources(): Record<string, string | number>[] {
    return this.#bodies.flatMap(({ resourceSpans }) =>
      resourceSpans.map(({ resource }) => resource.attributes),
    );
  }

  /** All that came, also what was refused. */
  get spans(): ReceivedSpan[] {
    return this.#bodies.flatMap(({ resourceSpans }) =>
      resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
    );
  }

  get #bodies() {
    return this.requests.map(({ text }) => body.parse(JSON.parse(text)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }
}
