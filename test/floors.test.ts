import { expect, test } from "bun:test";
import { join } from "node:path";
import { nodeImports } from "../scripts/docs/node-imports.ts";
import { product } from "../src/model/product.ts";
import { filesBelow } from "./files-below.ts";

const root = join(import.meta.dir, "..", "src");

/** Rooms from the ground up, by folder or file. Of those on one floor, none may import another. */
const floors = [
  ["platform"],
  ["model"],
  ["claude", "store", "report"],
  ["git"],
  ["far", "fleet"],
  ["engine/shared"],
  ["engine/account", "engine/memory", "engine/output", "engine/reuse", "engine/telemetry"],
  ["engine/attempt"],
  ["engine/scheduler"],
  ["engine/hosts"],
  ["engine/runner"],
  ["operations"],
  ["doors/mcp"],
  ["doors/mcp/http", "doors/mcp/stdio"],
  ["doors/cli/terminal"],
  ["doors/cli/input"],
  ["doors/cli/view", "doors/cli/signals", "doors/ui"],
  ["doors/cli/completion"],
  ["doors/cli/commands"],
  ["doors/cli", "doors/runner"],
  ["main"],
];

async function imports(): Promise<{ file: string; target: string }[]> {
  const found: { file: string; target: string }[] = [];
  for (const file of filesBelow(root, ".ts")) {
    const source = await Bun.file(join(root, file)).text();
    // Read as text, for a compiler forgets what was imported as a type alone.
    const targets = [
      ...source.matchAll(/^(?:import|export)\s[^"']*?from\s+["']([^"']+)["']/gm),
      ...source.matchAll(/\bimport\(\s*["']([^"']+)["']\s*\)/g),
      ...source.matchAll(/^import\s+["']([^"']+)["']/gm),
    ];
    for (const [, target] of targets) if (target !== undefined) found.push({ file, target });
  }
  return found;
}

/** The innermost room that a file is in. */
function floorOf(file: string): { floor: number; room: string } {
  const path = file.replace(/\.ts$/, "");
  const rooms = floors.flat().filter((room) => path === room || path.startsWith(`${room}/`));
  const room = rooms.reduce((inner, outer) => (outer.length > inner.length ? outer : inner), "");
  return { floor: floors.findIndex((on) => on.includes(room)), room };
}

test("imports only go down, from floor to floor and from room to room", async () => {
  const wrong = (await imports())
    .filter(({ target }) => target.startsWith("."))
    .filter(({ target }) => !target.endsWith("package.json"))
    .filter(({ file, target }) => {
      const from = floorOf(file);
      const to = floorOf(join(file, "..", target));
      return from.floor < 0 || to.floor < 0 || (from.room !== to.room && from.floor <= to.floor);
    });
  expect(wrong).toEqual([]);
});

test("every room has files", async () => {
  const rooms = new Set((await imports()).map(({ file }) => floorOf(file).room));
  expect([...rooms].sort()).toEqual(floors.flat().sort());
});

test("node: stands in src/platform/ and nowhere else", async () => {
  const shims = (await imports()).filter(({ target }) =>
    /^(node:|fs|os|path|child_process|util|net|http)\b/.test(target),
  );
  expect(shims.length).toBeGreaterThan(0);
  expect(shims.filter(({ file }) => !file.startsWith("platform/"))).toEqual([]);
});

test("each import from node: says above it what Bun lacks", async () => {
  const all = await nodeImports();
  const shims = (await imports()).filter(({ target }) => target.startsWith("node:"));
  expect(all.map(({ module }) => module).sort()).toEqual(shims.map(({ target }) => target).sort());
  expect(all.filter(({ lacking }) => lacking === undefined)).toEqual([]);
});

test("the MCP SDK is imported in doors/ alone", async () => {
  const sdk = (await imports()).filter(({ target }) => target.startsWith("@modelcontextprotocol/"));
  expect(sdk.length).toBeGreaterThan(0);
  expect(sdk.filter(({ file }) => !file.startsWith("doors/"))).toEqual([]);
});

test("the product's name is said once, and in the marks of its files", async () => {
  const said = await Promise.all(
    filesBelow(root, ".ts").map(async (file) =>
      (await Bun.file(join(root, file)).text()).includes(product.name) ? [file] : [],
    ),
  );
  expect(said.flat().sort()).toEqual(["model/product.ts", "report/file-tag.ts"]);
});

/** What the command line, outside its commands, takes from below the operations all the same. */
const belowOperations: Record<string, string> = {
  "completion/stored-words.ts":
    "store/batch-summaries: Tab must be quick, so the store is read without opening it",
  "completion/candidates.ts": "store/batch-summaries: the type of what was read that way",
  "view/ending.ts": "engine/output/answer: where the page of a batch is",
  "view/run-hints.ts": "claude/trusted-arguments: the options of claude that it explains",
};

test("commands reach sessions, batches and the store only through operations", async () => {
  const reaching = (await imports()).flatMap(({ file, target }) => {
    const path = join(file, "..", target).replace(/\.ts$/, "");
    const isBelow = /^(?:engine|claude|store)\//.test(path) && file.startsWith("doors/cli/");
    return isBelow ? [`${file.replace("doors/cli/", "")} ${path}`] : [];
  });
  const allowed = Object.entries(belowOperations).map(([file, why]) => `${file} ${why.split(":", 1)[0]}`);
  expect(reaching.sort()).toEqual(allowed.sort());
});
