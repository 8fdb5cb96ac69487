// The tokens of those who may use a server of ours: the clients of the HTTP door, and the pages of `ui`. One of each for a
// state directory, created on first use.
import { makePrivateDirectory, readText, touchPrivately } from "../platform/files.ts";
import { newSecret } from "../platform/secret.ts";
import { placeNewFile } from "../platform/whole-files.ts";
import { StoreProblem } from "./database.ts";
import type { Layout } from "./layout.ts";

/** Shorter ones can be guessed. */
const fewestCharacters = 32;

export interface HttpToken {
  token: string;
  /** Whether this call created it. */
  isNew: boolean;
}

/** The token in one of the layout's files. Throws `StoreProblem` if the file contains none. */
export async function httpToken(
  layout: Layout,
  name: "httpTokenFile" | "uiTokenFile" = "httpTokenFile",
): Promise<HttpToken> {
  const file = layout[name];
  makePrivateDirectory(layout.stateDirectory);
  // Two doors may start at once: the first to place the file wins, and both read the same.
  const isNew = await placeNewFile(file, `${newSecret()}\n`, { mode: 0o600 });
  touchPrivately(file);
  const token = readText(file).trim();
  if (token.length >= fewestCharacters && /^[\w.~+/=-]+$/.test(token)) return { token, isNew };
  throw new StoreProblem(
    `${file} must contain a token of at least ${fewestCharacters} letters, digits or any of -._~+/=.`,
    `Remove the file to have a new one created.`,
  );
}
