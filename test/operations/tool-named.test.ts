import { expect, test } from "bun:test";
import { toolNamed, toolNames } from "../../src/operations/tool-named.ts";
import { tools } from "../../src/operations/tools.ts";

test("each tool is loaded by its own name, and none by what every object has", async () => {
  expect(tools.map(({ name }) => name)).toEqual([...toolNames]);
  for (const tool of tools) expect(await toolNamed(tool.name)).toBe(tool);
  expect(await toolNamed("constructor")).toBeUndefined();
});
