// What an operation may use. The store is opened at the first need of it, and not before.
import type { Configuration } from "../model/configuration.ts";
import { fileIdentity } from "../platform/files.ts";
import { StoreProblem } from "../store/database.ts";
import { Store } from "../store/store.ts";
import { type InForce, readConfiguration, stateDirectoryOf } from "./configuration.ts";
import { type Checked, faultText } from "./faults.ts";

/** What a user can fix, as one message. Doors show it and start nothing. */
export class Fault extends Error {
  constructor(faults: string | readonly string[]) {
    super(typeof faults === "string" ? faults : faultText(faults));
  }
}

/** A fault of the operator's configuration, whose names are settings and no options. */
export class ConfigurationFault extends Fault {}

export interface Context extends Disposable {
  /** Throws `Fault` when it is broken. */
  readonly configuration: Configuration;
  readonly inForce: InForce;
  /** Throws `Fault` when it cannot be opened. */
  readonly store: Store;
  /** The store where it is open already; looking does not open it. */
  readonly openedStore: Store | undefined;
  /** Where the one who asks stands. */
  readonly workingDirectory: string;
}

/** The context of a process: configuration and store are read once, at their first use. */
export function newContext(): Context {
  let inForce: InForce | undefined;
  let store: Store | undefined;
  let opened: string | undefined;
  return {
    workingDirectory: process.cwd(),
    get inForce() {
      inForce ??= inForceOrFault(readConfiguration());
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
        store = storeIn(stateDirectoryOf(this.configuration));
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

/** The value, or its faults thrown as one. */
export function valueOrFault<Value>(checked: Checked<Value>): Value {
  if (!checked.ok) throw new Fault(checked.faults);
  return checked.value;
}

function inForceOrFault(checked: Checked<InForce>): InForce {
  if (!checked.ok) throw new ConfigurationFault(checked.faults);
  return checked.value;
}

function storeIn(stateDirectory: string): Store {
  try {
    return new Store(stateDirectory);
  } catch (error) {
    if (error instanceof StoreProblem) throw new Fault(error.message);
    throw error;
  }
}
