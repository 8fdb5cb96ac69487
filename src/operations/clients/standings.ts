// The state of every client: whether it is on this machine, and whether it starts this program.
import { product } from "../../model/product.ts";
import { exists } from "../../platform/files.ts";
import { dirname } from "../../platform/paths.ts";
import { lastingCommand } from "../../platform/self.ts";
import type { Context } from "../context.ts";
import { entryIn } from "./change.ts";
import { clientOf, type McpClient } from "./client-files.ts";
import { type ClientName, clientNames } from "./client-names.ts";
import { wordsOf } from "./entry-shape.ts";
import { fileText } from "./file-text.ts";
import { type OwnEntry, ownEntries } from "./own-entries.ts";
import { commandText, defaultName } from "./own-entry.ts";
import { scopesOf } from "./scopes.ts";
import { Unreadable } from "./unreadable.ts";

export interface ClientStanding {
  client: ClientName;
  title: string;
  /** Where our entry is, or would be. */
  file: string;
  state: "installed" | "installed-otherwise" | "name-taken" | "not-installed" | "not-found" | "unreadable";
  /** The name of our entry, if there is one. */
  name?: string;
  /** Where it applies: for this user everywhere, or only in the current project. */
  scope?: McpClient["scope"];
  detail?: string;
}

/** All clients, each with its state; for a server of that name, if given. */
export function standings({ workingDirectory }: Context, name?: string): ClientStanding[] {
  return clientNames.map((client) => standingOf(clientOf(client), workingDirectory, name));
}

function standingOf(client: McpClient, workingDirectory: string, name: string | undefined): ClientStanding {
  const { name: clientName, title, file } = client;
  const standing = { client: clientName, title, file };
  try {
    const found = ownEntries(scopesOf(client, workingDirectory), (place) => fileText(place.file)).find(
      (own) => name === undefined || own.name === name,
    );
    if (found) return { ...standing, ...ofEntry(found) };
    if (!exists(dirname(file)) || (clientName === "claude-code" && !exists(file)))
      return { ...standing, state: "not-found" };
    const other = entryIn(client, fileText(file) ?? "", name ?? defaultName);
    if (!other) return { ...standing, state: "not-installed" };
    const detail = `\`${name ?? defaultName}\`: ${commandText(other)}`;
    return { ...standing, state: "name-taken", detail };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { ...standing, state: "unreadable", detail: error.message };
  }
}

function ofEntry({ client, name, entry }: OwnEntry): Omit<ClientStanding, "client" | "title"> {
  const written = wordsOf(entry);
  const isThis = Bun.deepEquals(written, lastingCommand(product.name));
  const details = [
    ...(name === defaultName ? [] : [`called ${name}`]),
    ...(client.scope === "user" ? [] : ["in this project only"]),
    ...(isThis ? [] : [`as ${commandText(entry)}`]),
  ];
  return {
    file: client.file,
    state: isThis ? "installed" : "installed-otherwise",
    name,
    scope: client.scope,
    ...(details.length > 0 ? { detail: details.join(", ") } : {}),
  };
}
