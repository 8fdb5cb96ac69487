// How an entry says what to start: for most clients a command, its arguments and its environment.
import type { McpClient, ServerEntry } from "./client-files.ts";

type Entry = Record<string, unknown>;

/** The fields of a client's entry that start this server, in this environment if there is one. */
export function fieldsOf(
  client: McpClient,
  { command, args }: Omit<ServerEntry, "env">,
  env: Entry | undefined,
): Entry {
  const environment = env === undefined ? {} : { [environmentField(client)]: env };
  if (client.shape === "words") return { command: [command, ...args], ...environment };
  return { command, args, ...environment };
}

/** The name of the field with the environment. */
export function environmentField({ shape }: McpClient): string {
  return shape === "words" ? "environment" : "env";
}

/** The command line of an entry of either shape; empty if it starts nothing. */
export function wordsOf({ command, args }: Entry): string[] {
  if (Array.isArray(command)) return command.map(String);
  if (typeof command !== "string") return [];
  return [command, ...(Array.isArray(args) ? args.map(String) : [])];
}

/** What an entry of either shape starts, and with which environment. */
export function serverOf(client: McpClient, entry: Entry): ServerEntry {
  const [command = "", ...args] = wordsOf(entry);
  return { command, args, env: variablesOf(entry[environmentField(client)]) };
}

function variablesOf(value: unknown): Record<string, string> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, String(one)]));
}
