// What a task depends on, as its caller names it.
import { expect, test } from "bun:test";
import { inputsOf } from "../../src/model/inputs.ts";

test("a name with signs of a pattern stays a name, and is one within a pattern, too", () => {
  const inputs = ["{{file}}", "{{dir}}/*.ts", "src/**/*.d.ts", "tsconfig.json"];
  const values = { file: "app/[id]/page.tsx", dir: "app/[id]" };
  expect(inputsOf({ inputs }, values)).toEqual([
    { isGlob: false, text: "app/[id]/page.tsx" },
    { isGlob: true, text: "app/\\[id\\]/*.ts" },
    { isGlob: true, text: "src/**/*.d.ts" },
    { isGlob: false, text: "tsconfig.json" },
  ]);
  const [, pattern] = inputsOf({ inputs }, values) ?? [];
  const glob = new Bun.Glob(pattern?.text ?? "");
  expect(["app/[id]/a.ts", "app/i/a.ts"].map((path) => glob.match(path))).toEqual([true, false]);
});
