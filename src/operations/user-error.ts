// An error that a user can fix, thrown through an operation to its door.
import { type Prose, proseText } from "../model/prose.ts";
import { type Fault, general } from "./fault.ts";
import { faultsText, toolWording, type Wording } from "./fault-text.ts";

/** What a user can fix. Doors show it in the words of their reader, and start nothing. */
export class UserError extends Error {
  readonly #says: Prose;

  constructor(says: Prose) {
    super(proseText(says, toolWording));
    this.#says = says;
  }

  textIn(wording: Wording): string {
    return proseText(this.#says, wording);
  }

  /** The same behind a text that says what was done before. */
  after(text: string): UserError {
    return new UserError([`${text} `, this.#says].flat());
  }
}

/** Everything that is wrong with an input. */
export class InputError extends UserError {
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super(faultsText(faults, toolWording));
    this.faults = faults;
  }

  override textIn(wording: Wording): string {
    return faultsText(this.faults, wording);
  }
}

/** Faults in the operator's configuration, each with its source; every reader gets the same words. */
export class ConfigurationError extends InputError {
  constructor(faults: readonly string[]) {
    super(faults.map(general));
  }
}
