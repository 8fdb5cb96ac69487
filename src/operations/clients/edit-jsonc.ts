// Changes one entry in a JSON file with comments, and no character elsewhere.
import { createScanner, type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { Unreadable } from "./unreadable.ts";

interface Edit {
  offset: number;
  length: number;
  text: string;
}

/** The value of a file. An empty file is an empty object. Throws `Unreadable` with the place of the fault. */
export function readJsonc(text: string): unknown {
  return meaningOf(treeOf(text));
}

/** The text with `value` at a path of keys; creates missing tables on the way. */
export function setInJsonc(text: string, path: readonly string[], value: unknown): string {
  const tree = treeOf(text);
  const source = contentOf(text);
  return applied(source, settingEdits(source, tree, path, value));
}

/** The text without the property at a path of keys; unchanged if there is none. */
export function removeFromJsonc(text: string, path: readonly string[]): string {
  const table = nodeAt(treeOf(text), path.slice(0, -1));
  const source = contentOf(text);
  const index = propertiesOf(table).findIndex((property) => keyOf(property) === path.at(-1));
  return table && index >= 0 ? applied(source, removingEdits(source, table, index)) : text;
}

function contentOf(text: string): string {
  return text.trim() === "" ? `{}${text.includes("\r\n") ? "\r\n" : "\n"}` : text;
}

function treeOf(text: string): Node {
  const source = contentOf(text);
  const errors: ParseError[] = [];
  const tree = parseTree(source.replace(/^\uFEFF/, " "), errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first)
    throw new Unreadable(`${placeOf(source, first.offset)}: ${words(printParseErrorCode(first.error))}`);
  if (tree?.type !== "object") throw new Unreadable("line 1: it holds no JSON object");
  return tree;
}

// `CommaExpected` → comma expected.
function words(code: string): string {
  return code.replace(/(?!^)[A-Z]/g, (letter) => ` ${letter}`).toLowerCase();
}

function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

function meaningOf(node: Node): unknown {
  if (node.type === "array") return (node.children ?? []).map(meaningOf);
  if (node.type !== "object") return node.value;
  return Object.fromEntries(
    propertiesOf(node).map((property) => {
      const value = property.children?.[1];
      return [keyOf(property), value ? meaningOf(value) : undefined];
    }),
  );
}

function propertiesOf(node: Node | undefined): Node[] {
  return node?.type === "object" ? (node.children ?? []) : [];
}

function keyOf(property: Node): string {
  return String(property.children?.[0]?.value);
}

function nodeAt(node: Node | undefined, path: readonly string[]): Node | undefined {
  return path.reduce<Node | undefined>(
    (table, key) => propertiesOf(table).find((property) => keyOf(property) === key)?.children?.[1],
    node,
  );
}

function settingEdits(source: string, tree: Node, path: readonly string[], value: unknown): Edit[] {
  const existing = nodeAt(tree, path);
  if (existing) {
    const text = valueText(source, value, marginAt(source, existing.offset));
    return [{ offset: existing.offset, length: existing.length, text }];
  }
  // The deepest existing table gets the missing part, as one property.
  const depth = path.findLastIndex((_, index) => nodeAt(tree, path.slice(0, index))?.type === "object");
  const table = nodeAt(tree, path.slice(0, depth));
  const [key = "", ...deeper] = path.slice(depth);
  if (table?.type !== "object" || nodeAt(tree, path.slice(0, depth + 1)))
    throw new Unreadable(`\`${path.slice(0, depth + 1).join(".")}\` is no object`);
  const whole = deeper.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
  return insertingEdits(source, table, key, whole);
}

function insertingEdits(source: string, table: Node, key: string, value: unknown): Edit[] {
  const last = propertiesOf(table).at(-1);
  const close = table.offset + table.length - 1;
  const isOneLine = last !== undefined && !source.slice(last.offset, close).includes("\n");
  const firstOffset = propertiesOf(table)[0]?.offset ?? close;
  const isInline = isOneLine && !source.slice(table.offset, firstOffset).includes("\n");
  const comma = last && commaAfter(source, last.offset + last.length);
  const after = last ? last.offset + last.length : close;
  if (isInline) {
    const property = ` ${JSON.stringify(key)}: ${JSON.stringify(value)}`;
    if (comma === undefined) return [{ offset: after, length: 0, text: `,${property}` }];
    return [{ offset: comma + 1, length: 0, text: `${property},` }];
  }
  const { unit, lineFeed } = styleOf(source);
  const outer = marginAt(source, table.offset);
  const margin = last ? marginAt(source, last.offset) : outer + unit;
  const property = `${lineFeed}${margin}${JSON.stringify(key)}: ${valueText(source, value, margin)}`;
  // After all existing contents, comments included.
  const end = source.slice(0, close).trimEnd().length;
  const closing = isOneLine || !last ? `${lineFeed}${outer}` : source.slice(end, close);
  const inserted = {
    offset: end,
    length: close - end,
    text: `${property}${comma === undefined ? "" : ","}${closing}`,
  };
  // Of two edits at the same place, the later one in the text comes first, because they are applied from the end.
  return last && comma === undefined ? [inserted, { offset: after, length: 0, text: "," }] : [inserted];
}

function removingEdits(source: string, table: Node, index: number): Edit[] {
  const properties = propertiesOf(table);
  const [before, own] = [properties[index - 1], properties[index]];
  if (!own) return [];
  const end = own.offset + own.length;
  const comma = commaAfter(source, end);
  const lineBegin = source.lastIndexOf("\n", own.offset - 1) + 1;
  const rest = /^[^\S\n]*(?:\/\/[^\n]*)?\r?\n/.exec(source.slice((comma ?? end - 1) + 1));
  // Alone on its lines: remove these whole, with the remark after it.
  const isAlone =
    source.slice(lineBegin, own.offset).trim() === "" && lineBegin > table.offset && rest !== null;
  // Among others on a line: remove the space before it too.
  const offset = isAlone
    ? lineBegin
    : own.offset - (/[\t ]*$/.exec(source.slice(0, own.offset))?.[0].length ?? 0);
  const until = (comma ?? end - 1) + 1 + (isAlone ? rest[0].length : 0);
  const removed = { offset, length: until - offset, text: "" };
  // The new last property would keep a trailing comma that nobody wrote.
  const danglingAt =
    comma === undefined && before ? commaAfter(source, before.offset + before.length) : undefined;
  return danglingAt === undefined ? [removed] : [{ offset: danglingAt, length: 1, text: "" }, removed];
}

// The comma after a value, skipping comments.
function commaAfter(source: string, offset: number): number | undefined {
  const scanner = createScanner(source, true);
  scanner.setPosition(offset);
  scanner.scan();
  const at = scanner.getTokenOffset();
  return source[at] === "," ? at : undefined;
}

/** The white space at the beginning of a line. */
function marginAt(source: string, offset: number): string {
  const begin = source.lastIndexOf("\n", offset - 1) + 1;
  return /^[\t ]*/.exec(source.slice(begin, offset))?.[0] ?? "";
}

/** The indentation and line endings of the file. */
function styleOf(source: string): { unit: string; lineFeed: string } {
  const unit = /^(?:\t|[ ]{1,8})(?=["/])/m.exec(source)?.[0] ?? "  ";
  return { unit, lineFeed: source.includes("\r\n") ? "\r\n" : "\n" };
}

function valueText(source: string, value: unknown, margin: string): string {
  const { unit, lineFeed } = styleOf(source);
  return JSON.stringify(value, undefined, unit).split("\n").join(`${lineFeed}${margin}`);
}

function applied(source: string, edits: readonly Edit[]): string {
  // From the end, so that offsets stay valid.
  return [...edits]
    .sort((a, b) => b.offset - a.offset)
    .reduce(
      (text, { offset, length, text: put }) => text.slice(0, offset) + put + text.slice(offset + length),
      source,
    );
}
