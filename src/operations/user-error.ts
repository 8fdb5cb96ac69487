// An error that a user can fix, thrown through an operation to its door.
import { faultText } from "./faults.ts";

/** What a user can fix, as one message. Doors show it and start nothing. */
export class UserError extends Error {
  constructor(faults: string | readonly string[]) {
    super(typeof faults === "string" ? faults : faultText(faults));
  }
}

/** A fault in the operator's configuration, whose names are settings, not options. */
export class ConfigurationError extends UserError {}
