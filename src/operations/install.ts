// Makes a client start this program as its MCP server, or no longer: what would change, and the change itself.
import { product } from "../model/product.ts";
import {
  copyBeside,
  exists,
  isExecutable,
  isReadOnly,
  kindAt,
  makeDirectory,
  permissionsOf,
  readText,
  realPath,
  removePath,
  replaceFile,
  setPermissions,
} from "../platform/files.ts";
import { absolutePath, dirname } from "../platform/paths.ts";
import { lastingCommand } from "../platform/self.ts";
import { entryIn, withEntry, withoutEntry } from "./clients/change.ts";
import {
  type ClientName,
  clientNames,
  clientOf,
  type McpClient,
  type ServerEntry,
} from "./clients/clients.ts";
import { diffOf } from "./clients/diff.ts";
import { beforeEntry, copyMark } from "./clients/kept-copy.ts";
import { Unreadable } from "./clients/unreadable.ts";
import { type Context, Fault } from "./context.ts";

/** What is to be done to the configuration of a client. Nothing has been written yet. */
export interface Change {
  client: McpClient;
  /** The name of the server's entry. */
  name: string;
  /** Nothing where there is no file yet. */
  before: string | undefined;
  /** Nothing where the file goes, for there was none before we made it. */
  after: string | undefined;
  /** Empty where nothing is to be done. */
  diff: string;
}

export interface Wanted {
  client: ClientName;
  name: string;
  /** Another program than this one. */
  command?: string | undefined;
  /** `KEY=VALUE`, each. */
  env?: readonly string[] | undefined;
}

/** How a client stands: whether it is on this machine, and whether it starts us. */
export interface ClientStanding {
  client: ClientName;
  title: string;
  file: string;
  state: "installed" | "installed-otherwise" | "not-installed" | "not-found" | "unreadable";
  detail?: string;
}

/** What installing would change. Throws `Fault` for what the user can fix, and has then done nothing. */
export function planInstall(context: Context, { client, name, command, env = [] }: Wanted): Change {
  const entry = entryOf(context, command, env);
  return changeOf(clientOf(client), name, (known, text) => withEntry(known, text, name, entry));
}

/** The same for taking it out again. */
export function planUninstall({ client, name }: Pick<Wanted, "client" | "name">): Change {
  return changeOf(clientOf(client), name, (known, text) => {
    const before = beforeEntry(known, realPath(known.file), text, name);
    return before ? before.text : withoutEntry(known, text, name);
  });
}

/** Does it, and gives the path of the backup where there was something to keep. Throws `Fault`. */
export function applyChange({ client, before, after }: Change): string | undefined {
  // A link stays one: what it leads to is replaced.
  const file = realPath(client.file);
  if (before !== undefined && readOrNothing(file) !== before)
    throw new Fault(
      `${client.file} was changed by another program in the meantime. Nothing was done. Try again.`,
    );
  try {
    makeDirectory(dirname(file));
    const backup = before === undefined ? undefined : backUp(file);
    // It may hold credentials of other servers.
    const mode = before === undefined ? 0o600 : permissionsOf(file);
    if (after === undefined) removePath(file);
    else {
      replaceFile(file, after, String(process.pid), mode);
      setPermissions(file, mode);
    }
    return backup;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Fault(`${client.file} cannot be written: ${reason}`);
  }
}

/** All clients, each with how it stands for a server of that name. */
export function standings(name: string): ClientStanding[] {
  return clientNames.map((client) => standingOf(clientOf(client), name));
}

function standingOf(client: McpClient, name: string): ClientStanding {
  const { name: clientName, title, file } = client;
  const standing = { client: clientName, title, file };
  if (!exists(dirname(file)) || (clientName === "claude-code" && !exists(file)))
    return { ...standing, state: "not-found" };
  try {
    const entry = entryIn(client, readOrNothing(file) ?? "", name);
    if (!entry) return { ...standing, state: "not-installed" };
    const written = [entry["command"], ...(Array.isArray(entry["args"]) ? entry["args"] : [])].map(String);
    const own = lastingCommand(product.name);
    if (Bun.deepEquals(written, own)) return { ...standing, state: "installed" };
    return { ...standing, state: "installed-otherwise", detail: `as ${written.join(" ")}` };
  } catch (error) {
    if (!(error instanceof Unreadable || error instanceof Fault)) throw error;
    return { ...standing, state: "unreadable", detail: error.message };
  }
}

function changeOf(
  client: McpClient,
  name: string,
  edit: (client: McpClient, text: string) => string | undefined,
): Change {
  const { file, title } = client;
  const kind = kindAt(file);
  if (kind === "directory" || kind === "other") throw new Fault(`${file} is no file. Nothing was done.`);
  const before = readOrNothing(file);
  try {
    const after = edit(client, before ?? "");
    const diff = diffOf(before ?? "", after ?? "");
    if (diff !== "" && before !== undefined && isReadOnly(file)) throw new Fault(readOnlyText(file));
    return { client, name, before, after, diff };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    throw new Fault(
      `The configuration of ${title} cannot be changed: ${file}, ${error.message}. Nothing was done. Fix the file, or edit it yourself.`,
    );
  }
}

function readOnlyText(file: string): string {
  return `${file} is read-only, and nothing was done. Make it writable (\`chmod u+w '${file}'\`), or edit its source if another program generates it.`;
}

function readOrNothing(file: string): string | undefined {
  if (!exists(file)) return undefined;
  try {
    return readText(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Fault(`${file} cannot be read: ${reason}. Nothing was done.`);
  }
}

function entryOf(
  { workingDirectory }: Context,
  command: string | undefined,
  env: readonly string[],
): ServerEntry {
  const [program = "", ...args] =
    command === undefined ? lastingCommand(product.name) : [programAt(command, workingDirectory)];
  return { command: program, args, env: environmentOf(env) };
}

// By a name alone, a client with a short PATH would not find it.
function programAt(command: string, from: string): string {
  const path =
    /[\\/]/.test(command) || command.startsWith("~") ? absolutePath(command, from) : Bun.which(command);
  if (path !== null && isExecutable(path)) return path;
  throw new Fault(
    `--command was given as ${JSON.stringify(command)}, which is not a program that can be run. Nothing was done.`,
  );
}

function environmentOf(pairs: readonly string[]): Record<string, string> {
  const faults = pairs.filter((pair) => !/^[A-Za-z_][A-Za-z0-9_]*=/.test(pair));
  // The value may be a secret, so that only what stands before it is repeated.
  if (faults.length > 0)
    throw new Fault(
      `--env needs KEY=VALUE, and was given ${faults.map((pair) => JSON.stringify(pair.split("=", 1)[0])).join(", ")}. Nothing was done.`,
    );
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

/** `mcp.json.backup-20261122-141500`, in local time, beside the file. */
function backUp(file: string): string {
  const now = new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString();
  const name = `${file}${copyMark}${now.slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-")}`;
  for (let count = 1; ; count++) {
    const copy = count === 1 ? name : `${name}-${count}`;
    if (exists(copy)) continue;
    copyBeside(file, copy);
    return copy;
  }
}
