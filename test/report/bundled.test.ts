// The scripts and the style that stand in the pages.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { printedBy } from "../../src/platform/printed.ts";
import type { Bundled } from "../../src/report/bundled.ts";

const bundled = (): Bundled => JSON.parse(printedBy("report/bundled.ts"));

import { partNames } from "../../src/report/wire/marks.ts";

const root = join(import.meta.dir, "..", "..");

test("the scripts and the style of the pages are the same in every build, and name no place of the machine", () => {
  const texts = bundled();
  expect(bundled()).toEqual(texts);
  expect(JSON.stringify(texts)).not.toContain(root);
});

test("nothing in a script or a style ends the element that it stands in", () => {
  for (const text of Object.values(bundled())) expect(text).not.toMatch(/<\/(script|style)|<!--/i);
});

test("the scripts know each part of a page, and no comment of their sources is in them", () => {
  const { live, result, compare, session, still, style } = bundled();
  for (const part of partNames) expect(live).toContain(`"${part}"`);
  for (const text of [live, result, compare, session, still, style]) {
    expect(text).not.toMatch(/\/\*|^\s*\/\//m);
    expect(text.split("\n")).toHaveLength(1);
  }
});
