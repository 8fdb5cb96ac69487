// Garbage for a server's stdin: good messages, bent by chance. The same seed gives the same garbage.

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function numbersFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const methods = [
  "tools/list",
  "tools/call",
  "initialize",
  "ping",
  "resources/read",
  "tasks/get",
  "no/such",
  "",
];
const values: unknown[] = [
  null,
  true,
  -1,
  1e308,
  "",
  "x",
  "\u0000",
  [],
  {},
  { _meta: 1 },
  { name: "list_batches" },
];

/** Lines of garbage. */
export function garbage(next: () => number, lines: number): Uint8Array[] {
  return Array.from({ length: lines }, () => bent(next));
}

function bent(next: () => number): Uint8Array {
  const pick = <Value>(from: readonly Value[]) => from[Math.floor(next() * from.length)];
  const message = {
    jsonrpc: next() < 0.9 ? "2.0" : pick(values),
    ...(next() < 0.8 ? { id: next() < 0.7 ? Math.floor(next() * 10) : pick(values) } : {}),
    ...(next() < 0.9 ? { method: next() < 0.8 ? pick(methods) : pick(values) } : {}),
    ...(next() < 0.7 ? { params: pick(values) } : {}),
  };
  const bytes = new TextEncoder().encode(`${JSON.stringify(message)}\n`);
  for (let count = Math.floor(next() * 4) - 1; count > 0; count--)
    bytes[Math.floor(next() * bytes.length)] = Math.floor(next() * 256);
  return next() < 0.9 ? bytes : bytes.subarray(0, Math.floor(next() * bytes.length));
}
