// In the place of `src/platform/whole-files.ts`: the points in the middle of a file that is written, and behind it.
import { basename } from "node:path";
import * as own from "../../src/platform/whole-files.ts";
import { at, isDue } from "./points.ts";

export * from "../../src/platform/whole-files.ts";

// Before another module has their place.
const { replaceFile: replace, placeNewFile: placeNew, appendText: append } = own;

export async function replaceFile(...[path, contents, how]: Parameters<typeof replace>): Promise<void> {
  const half = `in ${kindOf(path)}`;
  await replace(path, isDue(half) ? killedIn(half, contents) : contents, how);
  at(`after ${kindOf(path)}`);
}

export async function placeNewFile(...[path, text, how]: Parameters<typeof placeNew>): Promise<boolean> {
  const half = `in ${kindOf(path)}`;
  if (isDue(half)) await replace(path, killedIn(half, text), how);
  return placeNew(path, text, how);
}

export async function appendText(...[path, text]: Parameters<typeof append>): ReturnType<typeof append> {
  const half = `in ${kindOf(path)}`;
  if (isDue(half)) {
    await append(path, text.slice(0, text.length / 2));
    at(half);
  }
  return await append(path, text);
}

/** A file by what it is: `results.csv`, `summary.json`, `result.html`. */
function kindOf(path: string): string {
  const [first = ""] = basename(path).split("-");
  return `${first.split(".")[0]}.${path.split(".").at(-1)}`;
}

// Its beginning is in the file beside by then, which has not been renamed.
async function* killedIn(point: string, contents: Parameters<typeof replace>[1]): AsyncGenerator<string> {
  const text = await textOf(contents);
  // More than is collected before it is written.
  yield text.slice(0, text.length / 2).padEnd(600_000);
  at(point);
  yield "";
}

async function textOf(contents: Parameters<typeof replace>[1]): Promise<string> {
  if (typeof contents === "string") return contents;
  if (contents instanceof Uint8Array) return new TextDecoder().decode(contents);
  return (await Array.fromAsync(contents)).join("");
}
