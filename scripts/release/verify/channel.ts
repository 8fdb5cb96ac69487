// What a channel is: a way by which users get the program.

/** A way by which users get the program, and what of it can be checked on this machine. */
export interface Channel {
  /** As users know it. */
  name: string;
  /** Installs the program into an empty folder, out of what is packed; or says why that cannot be done here. */
  install(folder: string): Promise<Installed | NotChecked>;
}

/** A program that is installed. */
export interface Installed {
  /** The command for each name under which the program answers. */
  commands: string[][];
  /** What is in the environment besides home, state and a `claude`. */
  environment?: Record<string, string>;
  /** What was seen beside the program itself, for the reader of the table. */
  seen?: string;
  /** Set where only handshake and list of tools can be tried: whoever imitates a processor does so for one process. */
  withoutBatch?: true;
}

/** What this machine cannot check, and why. */
export interface NotChecked {
  notChecked: string;
}
