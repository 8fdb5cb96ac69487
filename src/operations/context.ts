// What an operation may use. The store is opened at the first need of it, and not before.
import type { Configuration } from "../model/configuration.ts";
import { exists, fileIdentity } from "../platform/files.ts";
import type { Door } from "../report/option-words.ts";
import { type StoreProblem, storeProblemOf } from "../store/database.ts";
import { layoutOf } from "../store/layout.ts";
import { Store } from "../store/store.ts";
import { type InForce, readConfiguration, stateDirectoryOf } from "./configuration.ts";
import type { Checked } from "./faults.ts";
import { UserError } from "./user-error.ts";

export { ConfigurationError, UserError } from "./user-error.ts";

export interface Context extends Disposable {
  /** Throws `UserError` where a setting that is asked for is broken. */
  readonly configuration: Configuration;
  readonly inForce: InForce;
  /** Throws `UserError` when it cannot be opened. */
  readonly store: Store;
  /** The store where it is open already; looking does not open it. */
  readonly openedStore: Store | undefined;
  /** Whose words messages are in. */
  readonly door: Door;
  /** Where the one who asks stands. */
  readonly workingDirectory: string;
}

/** How long a server may stand still while another process writes to the store, in milliseconds: others ask it, too. */
export const serverBusyTimeoutMs = 100;

/**
 * The context of a process: configuration and store are read once, at their first use. `busyTimeoutMs`: how long it may
 * stand still while another process writes to the store.
 */
export function newContext(door: Door, { busyTimeoutMs }: { busyTimeoutMs?: number } = {}): Context {
  let inForce: InForce | undefined;
  let store: Store | undefined;
  let opened: string | undefined;
  return {
    door,
    workingDirectory: process.cwd(),
    get inForce() {
      inForce ??= warnedOf(readConfiguration());
      return inForce;
    },
    get configuration() {
      return this.inForce.configuration;
    },
    get store() {
      // Somebody may have removed the state directory since: what is written into a file without a name is lost.
      if (store && fileIdentity(store.layout.database) !== opened) {
        store[Symbol.dispose]();
        store = undefined;
      }
      if (!store) {
        store = storeIn(stateDirectoryOf(this.configuration), busyTimeoutMs);
        opened = fileIdentity(store.layout.database);
      }
      return store;
    },
    get openedStore() {
      return store;
    },
    [Symbol.dispose]: () => store?.[Symbol.dispose](),
  };
}

/** Whether there is a store. One that is only looked into must not be made by that. */
export function isStoreThere({ configuration }: Context): boolean {
  return exists(layoutOf(stateDirectoryOf(configuration)).database);
}

/** The value, or its faults thrown as one. */
export function valueOrThrow<Value>(checked: Checked<Value>): Value {
  if (!checked.ok) throw new UserError(checked.faults);
  return checked.value;
}

// Once a process: what has no effect stops nobody, but somebody meant something by it.
function warnedOf(inForce: InForce): InForce {
  for (const warning of inForce.warnings) console.error(`Warning: ${warning}`);
  return inForce;
}

function storeIn(stateDirectory: string, busyTimeoutMs: number | undefined): Store {
  try {
    return new Store(stateDirectory, busyTimeoutMs === undefined ? {} : { busyTimeoutMs });
  } catch (error) {
    throw errorOfStore(error, stateDirectory) ?? error;
  }
}

/** What an error of the store means for its user; nothing for any other error. */
export function errorOfStore(error: unknown, stateDirectory: string): UserError | undefined {
  const problem = storeProblemOf(error, layoutOf(stateDirectory).database);
  return problem && new StoreUserError(problem);
}

/** A fault of the place where the store lies. */
class StoreUserError extends UserError {
  constructor(problem: StoreProblem) {
    super(problem.message);
    // So that whoever waits for a lock knows one.
    this.cause = problem;
  }
}
