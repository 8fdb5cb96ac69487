// The APIs on which adaptive concurrency is judged, and the sessions that call them: for `bench:limits`, and for the
// model of it. A bench plays twenty times faster than life: a call takes 250 ms, the first retry waits 25 ms.
import type { Phase } from "../../test/fixtures/api-capacity.ts";

export interface LimitsProfile {
  readonly name: string;
  readonly phases: readonly Phase[];
  readonly tasks: number;
}

/** How long the API works on a call. */
export const serviceMs = 250;
/** What the CLI's retry delays are multiplied by. */
export const retryScale = 0.05;
/** How many calls a session makes: these numbers in turn. */
const callsByTurns = [3, 5, 4, 6, 2];

/** How many calls the task of that number makes. */
export function callsOf(task: number): number {
  return callsByTurns[task % callsByTurns.length] ?? 4;
}

/** Capacities that we are not told, and that change while the batch runs. */
export const profiles: readonly LimitsProfile[] = [
  { name: "steady", phases: [{ inFlight: 8 }], tasks: 320 },
  {
    name: "halved",
    phases: [{ forMs: 12_000, inFlight: 12 }, { forMs: 12_000, inFlight: 6 }, { inFlight: 12 }],
    tasks: 360,
  },
  {
    name: "rising",
    phases: [
      { forMs: 12_000, rate: 14, burst: 14, inFlight: 12 },
      { rate: 56, burst: 14 },
    ],
    tasks: 400,
  },
];
