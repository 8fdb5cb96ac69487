// What an operation may use. The store is opened only when first needed.
import type { Configuration } from "../model/configuration.ts";
import { exists } from "../platform/files.ts";
import type { Door } from "../report/option-words.ts";
import { type StoreProblem, storeProblemOf } from "../store/database.ts";
import { layoutOf } from "../store/layout.ts";
import { Store } from "../store/store.ts";
import { type InForce, readConfiguration, stateDirectoryOf } from "./configuration.ts";
import type { Checked } from "./faults.ts";
import { InputError, UserError } from "./user-error.ts";

export { ConfigurationError, InputError, UserError } from "./user-error.ts";

export interface Context extends Disposable {
  /** Throws `UserError` if the requested setting is broken. */
  readonly configuration: Configuration;
  readonly inForce: InForce;
  /** Throws `UserError` if it cannot be opened. */
  readonly store: Store;
  /** The store if it is open already; does not open it. */
  readonly openedStore: Store | undefined;
  /** The door whose words messages use. */
  readonly door: Door;
  /** The caller's directory. */
  readonly workingDirectory: string;
  /** What a command has read from its standard input, for a file that is given as `-`. */
  standardInput?: Uint8Array;
}

/**
 * How long a server may block while another process writes to the store, in milliseconds: other calls wait meanwhile.
 */
export const serverBusyTimeoutMs = 100;

/**
 * The context of a process: reads configuration and store once, at their first use; a broken configuration at each use,
 * until somebody has corrected it. `busyTimeoutMs`: how long it may
 * block while another process writes to the store.
 */
export function newContext(door: Door, { busyTimeoutMs }: { busyTimeoutMs?: number } = {}): Context {
  let inForce: InForce | undefined;
  let store: Store | undefined;
  const warned = new Set<string>();
  return {
    door,
    workingDirectory: process.cwd(),
    get inForce() {
      if (!inForce || inForce.faults.length > 0) inForce = warnedOf(readConfiguration(), warned);
      return inForce;
    },
    get configuration() {
      return this.inForce.configuration;
    },
    get store() {
      // Somebody may have removed the state directory since: writes to a deleted file would be lost.
      if (store && !store.isInPlace) {
        store[Symbol.dispose]();
        store = undefined;
      }
      store ??= storeIn(stateDirectoryOf(this.configuration), busyTimeoutMs);
      return store;
    },
    get openedStore() {
      return store;
    },
    [Symbol.dispose]: () => store?.[Symbol.dispose](),
  };
}

/**
 * Another connection to the same store: what is written through it, a runner or a view in this process sees like what another
 * process writes.
 */
export function besideContext(context: Context): Context {
  const { door, workingDirectory, inForce, configuration } = context;
  const store = storeIn(context.store.layout.stateDirectory, serverBusyTimeoutMs);
  return {
    door,
    workingDirectory,
    inForce,
    configuration,
    store,
    openedStore: store,
    [Symbol.dispose]: () => store[Symbol.dispose](),
  };
}

/** Whether there is a store. Reading must not create one. */
export function isStoreThere({ configuration }: Context): boolean {
  return exists(layoutOf(stateDirectoryOf(configuration)).database);
}

/** The value, or its faults thrown as one error. */
export function valueOrThrow<Value>(checked: Checked<Value>): Value {
  if (!checked.ok) throw new InputError(checked.faults);
  return checked.value;
}

// Each once for a process: these have no effect, but somebody meant something by them.
function warnedOf(inForce: InForce, warned: Set<string>): InForce {
  for (const warning of inForce.warnings) if (!warned.has(warning)) console.error(`Warning: ${warning}`);
  for (const warning of inForce.warnings) warned.add(warning);
  return inForce;
}

function storeIn(stateDirectory: string, busyTimeoutMs: number | undefined): Store {
  try {
    return new Store(stateDirectory, busyTimeoutMs === undefined ? {} : { busyTimeoutMs });
  } catch (error) {
    throw errorOfStore(error, stateDirectory) ?? error;
  }
}

/** What an error of the store means for its user; undefined for any other error. */
export function errorOfStore(error: unknown, stateDirectory: string): UserError | undefined {
  const problem = storeProblemOf(error, layoutOf(stateDirectory).database);
  return problem && new StoreUserError(problem);
}

/** An error about the store's place. */
class StoreUserError extends UserError {
  constructor(problem: StoreProblem) {
    super(problem.message);
    // So that code which waits for a lock recognises it.
    this.cause = problem;
  }
}
