// The token of clients of the HTTP door: one for a state directory, created on first use.
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

/** The token. Throws `StoreProblem` if the file contains none. */
export async function httpToken({ stateDirectory, httpTokenFile }: Layout): Promise<HttpToken> {
  makePrivateDirectory(stateDirectory);
  // Two doors may start at once: the first to place the file wins, and both read the same.
  const isNew = await placeNewFile(httpTokenFile, `${newSecret()}\n`, { mode: 0o600 });
  touchPrivately(httpTokenFile);
  const token = readText(httpTokenFile).trim();
  if (token.length >= fewestCharacters && /^[\w.~+/=-]+$/.test(token)) return { token, isNew };
  throw new StoreProblem(
    `${httpTokenFile} must contain a token of at least ${fewestCharacters} letters, digits or any of -._~+/=.`,
    `Remove the file to have a new one created.`,
  );
}
