// Makes a client start this program as its MCP server, or stop doing so: plans the change.
import { repositoryOf } from "../../claude/repository.ts";
import { product } from "../../model/product.ts";
import { shellQuoted } from "../../model/shell-quoted.ts";
import { exists, isExecutable, isReadOnly, realPath } from "../../platform/files.ts";
import { absolutePath, isWithin } from "../../platform/paths.ts";
import { lastingCommand } from "../../platform/self.ts";
import { diffOf } from "../../report/diff/text-diff.ts";
import { type Context, UserError } from "../context.ts";
import { entryIn, withEntry, withoutEntry, withReplaced, withWhole } from "./change.ts";
import { clientOf, inProject, type McpClient, type ServerEntry } from "./client-files.ts";
import { type ClientName, clientNames, clientTitles } from "./client-names.ts";
import { wordsOf } from "./entry-shape.ts";
import { fileText } from "./file-text.ts";
import type { InstallAsked, UninstallAsked } from "./install-input.ts";
import { type Former, formerOf, holdsNothingElse, type Place } from "./kept-copy.ts";
import { ownEntries } from "./own-entries.ts";
import { commandText, defaultName, otherDefaultName, startsUs } from "./own-entry.ts";
import { scopesOf } from "./scopes.ts";
import { Unreadable } from "./unreadable.ts";

/** A planned change of a client's configuration. Nothing has been written yet. */
export interface Change {
  client: McpClient;
  /** The name of the server's entry. */
  name: string;
  /** Undefined if there is no file yet. */
  before: string | undefined;
  /** Undefined if the file is removed, because we created it. */
  after: string | undefined;
  /** Empty if nothing changes. */
  diff: string;
  /** What else the user should know, a sentence or two each. */
  notes: string[];
}

/** What installing would change. Throws `UserError` for what the user can fix, without having done anything. */
export function planInstall(context: Context, wanted: InstallAsked): Change {
  const isShared = wanted.scope === "project";
  const entry = serverEntry(context, wanted, isShared);
  const user = isShared ? sharedPlace(context, wanted.client) : clientOf(wanted.client);
  const words = wordsOf({ ...entry });
  const told = (change: Change) => withSharedNote(change, entry);
  if (wanted.name === undefined && wanted.replace !== true) {
    const places = isShared ? [user] : scopesOf(user, context.workingDirectory);
    const [found] = ownEntries(places, textOf, words);
    if (found) return told(planUpdate(found.client, { name: found.name, entry, isShared }));
  }
  const name = wanted.name ?? defaultName;
  const there = nameIn(user, name);
  if (!there || startsUs(there, words))
    return told(changeOf(user, name, (text) => withEntry(user, text, name, entry)));
  if (wanted.replace === true) return told(planTakeover(user, name, entry));
  const server = `\`${name}\` in ${user.file} is another server (${commandText(there)})`;
  if (wanted.name !== undefined || nameIn(user, otherDefaultName))
    throw new UserError(
      `${server}, and nothing was done. Choose another name with --name, or replace that server with --replace.`,
    );
  const note = `${server}, so this one is called \`${otherDefaultName}\`. To replace the other one, use --replace.`;
  const change = changeOf(user, otherDefaultName, (text) => withEntry(user, text, otherDefaultName, entry));
  return told({ ...change, notes: [note] });
}

// What all who work on a project can read is easily forgotten.
function withSharedNote(change: Change, { env }: ServerEntry): Change {
  if (change.client.scope !== "project" || change.diff === "" || Object.keys(env).length === 0) return change;
  const note = `All who work on this project can read the values of --env in ${change.client.file}.`;
  return { ...change, notes: [...change.notes, note] };
}

/** The same for uninstalling. */
export function planUninstall(context: Context, { client, name, command, scope }: UninstallAsked): Change {
  const isShared = scope === "project";
  const user = isShared ? sharedPlace(context, client) : clientOf(client);
  const words = command === undefined ? [] : [programAt(command, context.workingDirectory)];
  const scopes = isShared ? [user] : scopesOf(user, context.workingDirectory);
  const all = ownEntries(scopes, textOf, words);
  const [found, ...others] = name === undefined ? all : all.filter((one) => one.name === name);
  if (!found) return nothingToRemove(user, name);
  if (found.client.scope === "project" && !isShared)
    return sharedEntry(found.client, found.name, "To remove it there, add `--scope project`");
  const place = placeOf(found.client, found.name);
  const change = changeOf(found.client, found.name, (text) => {
    const former = isShared ? sharedFormerOf(place, text) : formerOf(place, text);
    if (former.kind === "file") return former.text;
    return former.kind === "entry"
      ? withWhole(found.client, text, found.name, former.entry)
      : withoutEntry(found.client, text, found.name);
  });
  const more = others
    .filter((one) => isShared || one.client.scope !== "project")
    .map((one) => `\`${one.name}\``);
  if (more.length > 0)
    change.notes.push(`Other entries start this program too: ${more.join(", ")}. Name one with --name.`);
  return change;
}

// In a project we keep no copies, and a repository may bring along what looks like one.
function sharedFormerOf(place: Place, text: string): Former {
  return { kind: holdsNothingElse(place, text) ? "file" : "nothing" };
}

function planUpdate(
  client: McpClient,
  { name, entry, isShared }: { name: string; entry: ServerEntry; isShared: boolean },
): Change {
  if (client.scope === "project" && !isShared)
    return sharedEntry(client, name, "To add it for yourself as well, give it a --name");
  const change = changeOf(client, name, (text) => withEntry(client, text, name, entry));
  if (client.scope === "local")
    change.notes.push(
      `The entry \`${name}\` is for the project ${client.table[1]} only. To add one for all projects, give it a --name.`,
    );
  else if (name !== defaultName) change.notes.push(`The entry that starts this program is \`${name}\`.`);
  return change;
}

// The other name, which we used while another server had this one, is no longer needed.
function planTakeover(client: McpClient, name: string, entry: ServerEntry): Change {
  const change = changeOf(client, name, (text) => {
    const replaced = withReplaced(client, text, name, entry);
    const other = entryIn(client, text, otherDefaultName);
    const isOurs = name === defaultName && other !== undefined && startsUs(other);
    return isOurs ? withoutEntry(client, replaced, otherDefaultName) : replaced;
  });
  change.notes.push(
    `This replaces another server of the name \`${name}\`. \`uninstall\` brings it back from the copy.`,
  );
  return change;
}

function sharedEntry(client: McpClient, name: string, advice: string): Change {
  const note = `${client.file}, which all who work on this project share, starts this program as \`${name}\`. Nothing was changed. ${advice}.`;
  return { ...unchanged(client, name), notes: [note] };
}

function nothingToRemove(user: McpClient, name: string | undefined): Change {
  const there = nameIn(user, name ?? defaultName);
  if (there && name !== undefined)
    throw new UserError(
      `\`${name}\` in ${user.file} starts ${commandText(there)}, which is not this program. Nothing was done. If you installed it with --command, repeat that option.`,
    );
  const what = name === undefined ? "no entry of this program" : `no entry \`${name}\``;
  const note = exists(user.file)
    ? `Nothing to remove: ${user.file} has ${what}.`
    : `Nothing to remove: ${user.file} does not exist.`;
  const other = there ? ` Its \`${defaultName}\` is another server (${commandText(there)}).` : "";
  return { ...unchanged(user, name ?? defaultName), notes: [`${note}${other}`] };
}

function unchanged(client: McpClient, name: string): Change {
  const before = textOf(client);
  return { client, name, before, after: before, diff: "", notes: [] };
}

function changeOf(client: McpClient, name: string, edit: (text: string) => string | undefined): Change {
  const { file } = client;
  const before = textOf(client);
  const after = readable(client, () => edit(before ?? ""));
  const diff = diffOf(before ?? "", after ?? "");
  if (diff !== "" && before !== undefined && isReadOnly(file)) throw new UserError(readOnlyText(file));
  return { client, name, before, after, diff, notes: [] };
}

/** The text of a client's file; undefined if there is none. Throws `UserError`, also if it cannot be parsed. */
function textOf(client: McpClient): string | undefined {
  return readable(client, () => {
    const text = fileText(client.file);
    if (text !== undefined) entryIn(client, text, defaultName);
    return text;
  });
}

function nameIn(client: McpClient, name: string): Record<string, unknown> | undefined {
  const text = textOf(client) ?? "";
  return readable(client, () => entryIn(client, text, name));
}

/** Throws `UserError` if a file cannot be parsed. */
export function readable<Value>({ title, file }: McpClient, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    throw new UserError(
      `The configuration of ${title} cannot be changed: ${file} (${error.message}). Nothing was done. Fix the file, or edit it yourself.`,
    );
  }
}

/** Where the entry of a client really is: follows links. */
export function placeOf(client: McpClient, name: string): Place {
  return { client, name, file: realPath(client.file) };
}

function readOnlyText(file: string): string {
  const allow = process.platform === "win32" ? "attrib -r" : "chmod u+w";
  return `${file} is read-only, and nothing was done. Make it writable (\`${allow} ${shellQuoted(file)}\`), or edit its source if another program generates it.`;
}

/** The file of a project that a client reads. Throws `UserError` if it reads none. */
function sharedPlace({ workingDirectory }: Context, name: ClientName): McpClient {
  const from = realPath(workingDirectory);
  const place = inProject(clientOf(name), repositoryOf(from)?.root ?? from);
  if (place !== undefined && isWithin(realPath(place.file), place.root ?? from)) return place;
  if (place !== undefined)
    throw new UserError(
      `${place.file} leads out of the project, to ${realPath(place.file)}. Nothing was done. Name that client without --scope, or edit the file yourself.`,
    );
  const others = clientNames.filter((one) => inProject(clientOf(one), from) !== undefined);
  throw new UserError(
    `${clientTitles[name]} reads no file in a project, and nothing was done. Leave out --scope, or choose a client that does: ${others.join(", ")}.`,
  );
}

function serverEntry(
  { workingDirectory }: Context,
  { command, env = [] }: Pick<InstallAsked, "command" | "env">,
  isShared: boolean,
): ServerEntry {
  // Others have it elsewhere.
  const usual = isShared ? [product.name] : lastingCommand(product.name);
  const [program = "", ...args] = command === undefined ? usual : [programAt(command, workingDirectory)];
  return { command: program, args, env: environmentOf(env) };
}

// A client with a short PATH would not find a bare name.
function programAt(command: string, from: string): string {
  const path =
    /[\\/]/.test(command) || command.startsWith("~") ? absolutePath(command, from) : Bun.which(command);
  if (path !== null && isExecutable(path)) return path;
  throw new UserError(
    `--command was given as ${JSON.stringify(command)}, which is not a program that can be run. Nothing was done.`,
  );
}

function environmentOf(pairs: readonly string[]): Record<string, string> {
  const faults = pairs.filter((pair) => !/^[A-Za-z_][A-Za-z0-9_]*=/.test(pair));
  // The value may be a secret, so only the part before it is repeated.
  if (faults.length > 0)
    throw new UserError(
      `--env needs KEY=VALUE, and was given ${faults.map((pair) => JSON.stringify(pair.split("=", 1)[0])).join(", ")}. Nothing was done.`,
    );
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
