// How the processes of a batch are called, and what they agree on.

/** Hidden subcommands of the executable; each takes the state directory and the batch. */
export const hiddenCommands = {
  starter: "__starter",
  keeper: "__keeper",
  runner: "__runner",
  notifier: "__notifier",
  tidier: "__tidier",
} as const;

/** The one that takes the state directory and the identity of a worker. */
export const workerKeeperCommand = "__worker-keeper";

/** The one that writes what another command prints to a file, and sets variables, as a text in JSON says: Task Scheduler has no place for either. */
export const loggedCommand = "__logged";

export type HiddenCommand = (typeof hiddenCommands)[keyof typeof hiddenCommands];

/** The argument that announces values of `env` on stdin. */
export const valuesOnStdin = "--values-on-stdin";

/** Exit status of a runner that disk or system kept from working (`EX_TEMPFAIL`). */
export const blockedCode = 75;

/** How long a keeper or runner waits for its predecessor, which has nothing left to do, to exit, in milliseconds. */
export const handoverMs = 3_000;
