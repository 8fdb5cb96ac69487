// A pool without sessions.
import type { SessionPool } from "../../src/engine/attempt/session-pool.ts";

export const emptyPool: SessionPool = {
  take: () => undefined,
  has: () => false,
  reserve: () => undefined,
  patienceMs: () => 0,
  release: () => undefined,
  look: () => undefined,
  lookSoon: () => undefined,
  owns: () => false,
  evict: () => undefined,
  ended: async () => undefined,
  [Symbol.dispose]: () => undefined,
};
