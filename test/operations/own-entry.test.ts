// Which entries of a client's configuration start this program.
import { describe, expect, test } from "bun:test";
import { product } from "../../src/model/product.ts";
import { clientOf } from "../../src/operations/clients/client-files.ts";
import { wordsOf } from "../../src/operations/clients/entry-shape.ts";
import { ownEntries } from "../../src/operations/clients/own-entries.ts";
import { otherDefaultName, startsUs } from "../../src/operations/clients/own-entry.ts";
import { lastingCommand } from "../../src/platform/self.ts";

const name = product.name;
const [alias = ""] = product.otherNames;
const [ownCommand = "", ...ownArgs] = lastingCommand(name);

describe("an entry is ours", () => {
  const cases: [command: string, ...args: string[]][] = [
    [name],
    [alias],
    [`/usr/local/bin/${name}`],
    [`C:\\Program Files\\${name.toUpperCase()}.EXE`],
    [`/opt/${name}-linux-x64`],
    [`/opt/${name}-darwin-arm64`],
    ["npx", "-y", name],
    ["npx.cmd", "-y", `${name}@1.2.3`],
    ["/usr/bin/npx", "-p", name, "something"],
    ["npx", "--package", name, "other"],
    ["npx", `--package=${name}@latest`, "other"],
    ["bunx", alias],
    ["pnpx", name],
    ["npm", "exec", "--", name],
    ["npm", "x", name],
    ["pnpm", "dlx", name],
    ["pnpm", "exec", name],
    ["yarn", "dlx", name],
    ["yarn", "exec", name],
    ["bun", "x", name],
    ["npx", `github:owner/${name}#main`],
    ["npx", `@owner/${name}`],
    ["cmd", "/c", "npx", "-y", name],
    ["cmd.exe", "/C", name],
    ["node", `/home/me/${name}/dist/main.js`],
    ["bun", "run", `/home/me/${name}/src/main.ts`, "serve"],
    ["deno", "--allow-all", `C:\\src\\${name}\\main.ts`],
    [ownCommand, ...ownArgs],
  ];
  for (const [command, ...args] of cases) {
    test(`that runs ${[command, ...args].join(" ")}`, () => expect(startsUs({ command, args })).toBe(true));
  }

  test("that runs just the words that were given", () => {
    expect(startsUs({ command: "/a/b", args: ["c"] }, ["/a/b", "c"])).toBe(true);
    expect(startsUs({ command: "/a/b", args: ["c", "d"] }, ["/a/b", "c"])).toBe(false);
  });
});

describe("an entry is another's", () => {
  const cases: [command: string, ...args: string[]][] = [
    ["claude", "mcp", "serve"],
    [`${name}2`],
    [`${name}-other`],
    [`/opt/${name}/other`],
    ["npx", "-y", "other", name],
    ["npx", "-p", "other", name],
    ["npx", "--package=other", name],
    ["npx"],
    ["npx", "-y", "-p"],
    ["npm", "run", name],
    ["npm", name],
    ["yarn", "x", name],
    ["bun", "dlx", name],
    ["python", name],
    ["cmd", name],
    ["sh", "/c", name],
    ["node", "other.js", name],
    ["node", "--title", "--inspect"],
    ["deno"],
  ];
  for (const [command, ...args] of cases) {
    test(`that runs ${[command, ...args].join(" ")}`, () => expect(startsUs({ command, args })).toBe(false));
  }

  test("that has no command, or a list without words", () => {
    expect(startsUs({ url: "https://example.org" })).toBe(false);
    expect(startsUs({ command: 3, args: [name] })).toBe(false);
    expect(startsUs({})).toBe(false);
  });
});

test("the words of an entry are its command and arguments, as texts", () => {
  expect(wordsOf({ command: "a", args: ["b", 3] })).toEqual(["a", "b", "3"]);
  expect(wordsOf({ command: "a", args: "b" })).toEqual(["a"]);
  expect(wordsOf({ args: ["b"] })).toEqual([]);
});

test("the other name is the program's without what it is", () => {
  expect(otherDefaultName).toBe("parallel-claude-code");
});

test("of several entries of one file, the one with the usual name comes first", () => {
  const client = clientOf("cursor");
  const ours = { command: name };
  const text = JSON.stringify({
    mcpServers: { a: ours, b: { command: "other" }, "claude-code": ours, c: 3 },
  });
  const found = ownEntries([client, client], () => text);
  expect(found.map((one) => one.name)).toEqual(["claude-code", "a", "claude-code", "a"]);
  expect(found[0]).toEqual({ client, name: "claude-code", entry: ours });
  expect(ownEntries([client], () => undefined)).toEqual([]);
  expect(ownEntries([client], () => text, ["other"]).map((one) => one.name)).toEqual([
    "claude-code",
    "a",
    "b",
  ]);
});
