// Puts our server into a client's configuration, or takes it out: the new text, checked before it is used.
import type { McpClient, ServerEntry } from "./client-files.ts";
import { readJsonc, removeFromJsonc, setInJsonc } from "./edit-jsonc.ts";
import { readToml, removeFromToml, setInToml } from "./edit-toml.ts";
import { environmentField, fieldsOf } from "./entry-shape.ts";
import { Unreadable } from "./unreadable.ts";

type Table = Record<string, unknown>;

/** The entry of that name. Throws `Unreadable`. */
export function entryIn(client: McpClient, text: string, name: string): Table | undefined {
  const entry = tableAt(read(client, text), client.table)[name];
  if (entry === undefined) return undefined;
  if (!isTable(entry))
    throw new Unreadable(`\`${[...client.table, name].join(".")}\` is no table of a server`);
  return entry;
}

/** All server entries, by name. Throws `Unreadable`. */
export function entriesIn(client: McpClient, text: string): [name: string, entry: Table][] {
  return Object.entries(tableAt(read(client, text), client.table)).flatMap(([name, entry]) =>
    isTable(entry) ? [[name, entry] satisfies [string, Table]] : [],
  );
}

/** The text with our entry. Keeps other fields of an entry of that name. Throws `Unreadable`. */
export function withEntry(client: McpClient, text: string, name: string, wanted: ServerEntry): string {
  const before = entryIn(client, text, name);
  const known = before?.[environmentField(client)];
  const env: Table = { ...(isTable(known) ? known : {}), ...wanted.env };
  const needsEnv = Object.keys(env).length > 0 || known !== undefined;
  const fields = fieldsOf(client, wanted, needsEnv ? env : undefined);
  const values: Table = { ...(before ? {} : client.beside), ...fields };
  const changed = Object.fromEntries(
    Object.entries(values).filter(([key, value]) => !Bun.deepEquals(before?.[key], value)),
  );
  const after =
    client.format === "toml"
      ? setToml(client, text, name, changed)
      : setJson(client, text, name, before, changed);
  return checked(client, after, withServer(client, text, name, { ...before, ...values }));
}

/** The text with our entry in place of another one, of which nothing stays. Throws `Unreadable`. */
export function withReplaced(client: McpClient, text: string, name: string, wanted: ServerEntry): string {
  const needsEnv = Object.keys(wanted.env).length > 0;
  return withWhole(client, text, name, {
    ...client.beside,
    ...fieldsOf(client, wanted, needsEnv ? wanted.env : undefined),
  });
}

/** The text with exactly this entry. Throws `Unreadable`. */
export function withWhole(client: McpClient, text: string, name: string, entry: Table): string {
  const path = [...client.table, name];
  const after =
    client.format === "toml"
      ? setToml(client, removeFromToml(text, path), name, entry)
      : setInJsonc(text, path, entry);
  return checked(client, after, withServer(client, text, name, entry));
}

/** The text without the entry of that name. Throws `Unreadable`. */
export function withoutEntry(client: McpClient, text: string, name: string): string {
  if (entryIn(client, text, name) === undefined) return text;
  const path = [...client.table, name];
  const after = client.format === "toml" ? removeFromToml(text, path) : removeFromJsonc(text, path);
  return checked(client, after, withServer(client, text, name, undefined));
}

/** Whether a text is empty in effect: only empty tables on the way to the servers, and no remark. */
export function saysNothing(client: McpClient, text: string): boolean {
  const remarks = client.format === "toml" ? /#/ : /\/\/|\/\*/;
  return !remarks.test(text) && isEmptyOn(client.table, read(client, text));
}

function isEmptyOn([key, ...deeper]: readonly string[], value: unknown): boolean {
  if (!isTable(value)) return false;
  const { [key ?? ""]: inner, ...others } = value;
  if (Object.keys(others).length > 0) return false;
  return inner === undefined || (key !== undefined && isEmptyOn(deeper, inner));
}

function read({ format }: McpClient, text: string): unknown {
  return format === "toml" ? readToml(text) : readJsonc(text);
}

function setJson(
  client: McpClient,
  text: string,
  name: string,
  before: Table | undefined,
  changed: Table,
): string {
  const path = [...client.table, name];
  if (!before) return setInJsonc(text, path, changed);
  return Object.entries(changed).reduce((now, [key, value]) => setInJsonc(now, [...path, key], value), text);
}

function setToml(client: McpClient, text: string, name: string, { env, ...plain }: Table): string {
  const path = [...client.table, name];
  const now = Object.keys(plain).length === 0 ? text : setInToml(text, path, plain);
  if (!isTable(env) || Object.keys(env).length === 0) return now;
  // In a table of its own, unless the entry has it inline.
  const inside = setInToml(now, path, { env });
  if (inside.split("\n").length === now.split("\n").length) return inside;
  return setInToml(now, [...path, "env"], env);
}

// An edit could change the meaning of a text that is written in a way we do not know: then nothing is done.
function checked(client: McpClient, after: string, expected: Table): string {
  let found: unknown;
  try {
    found = read(client, after);
  } catch {
    // Reported below: the file itself could be read.
  }
  if (Bun.deepEquals(withoutEmpty(client, found), withoutEmpty(client, expected))) return after;
  throw new Unreadable(`\`${client.table.join(".")}\` is written in a way that cannot be edited safely`);
}

function withServer(client: McpClient, text: string, name: string, entry: Table | undefined): Table {
  const whole = read(client, text);
  const { [name]: _, ...others } = tableAt(whole, client.table);
  const servers = entry ? { ...others, [name]: entry } : others;
  return withTableAt(isTable(whole) ? whole : {}, client.table, servers);
}

function withTableAt(whole: Table, [key, ...deeper]: readonly string[], table: Table): Table {
  if (key === undefined) return table;
  const inner = whole[key];
  return { ...whole, [key]: withTableAt(isTable(inner) ? inner : {}, deeper, table) };
}

// TOML has no empty table once its heading is removed.
function withoutEmpty({ table: [key = ""] }: McpClient, whole: unknown): unknown {
  if (!isTable(whole)) return whole;
  const { [key]: servers, ...rest } = whole;
  return isTable(servers) && Object.keys(servers).length === 0 ? rest : whole;
}

function tableAt(whole: unknown, path: readonly string[]): Table {
  let table: unknown = whole;
  for (const [index, key] of path.entries()) {
    table = isTable(table) ? table[key] : undefined;
    if (table === undefined) return {};
    if (!isTable(table))
      throw new Unreadable(`\`${path.slice(0, index + 1).join(".")}\` is no table of servers`);
  }
  return isTable(table) ? table : {};
}

function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
