import { expect, test } from "bun:test";
import { join } from "node:path";
import { nodeImports } from "../scripts/docs/node-imports.ts";

const root = join(import.meta.dir, "..", "src");

/** From the ground up. Of those on one floor, none may import another. */
const floors = [
  ["platform"],
  ["model"],
  ["claude", "store", "report"],
  ["engine"],
  ["operations"],
  ["doors"],
  ["main"],
];

async function imports(): Promise<{ file: string; target: string }[]> {
  const found: { file: string; target: string }[] = [];
  for await (const file of new Bun.Glob("**/*.ts").scan(root)) {
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

function floorOf(file: string): { floor: number; room: string } {
  const room = file.split("/")[0]?.replace(/\.ts$/, "") ?? "";
  return { floor: floors.findIndex((rooms) => rooms.includes(room)), room };
}

test("imports only go down, from floor to floor", async () => {
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
