// What the tests of one file about the real `claude` share: a throwaway home, and the API that answers it.
import { afterAll, beforeAll } from "bun:test";
import { type MessagesApi, startMessagesApi } from "./messages-api.ts";
import { type RealHome, realHome } from "./session.ts";

export interface StandIn {
  readonly home: RealHome;
  readonly api: MessagesApi;
}

/** Both, there before the first test of the enclosing `describe` and gone after its last. Not to be read before. */
export function useStandIn(): StandIn {
  let started: StandIn | undefined;
  const running = () => {
    if (!started) throw new Error("The stand-in is there for the tests only.");
    return started;
  };
  beforeAll(async () => {
    started = { home: await realHome(), api: startMessagesApi() };
  });
  afterAll(async () => {
    await started?.api[Symbol.asyncDispose]();
    await started?.home[Symbol.asyncDispose]();
  });
  return {
    get home() {
      return running().home;
    },
    get api() {
      return running().api;
    },
  };
}
