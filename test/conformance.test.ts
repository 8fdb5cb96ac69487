// The conformance suite of the protocol's makers, against our HTTP door and our Tasks extension.
import { beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exceptions } from "./conformance/exceptions.ts";
import { openFixture } from "./conformance/fixture.ts";
import { letIn } from "./conformance/let-in.ts";
import {
  type Check,
  type Edition,
  editions,
  extension,
  runEach,
  runVersion,
  scenarios,
  versions,
} from "./conformance/suite.ts";
import { complaints } from "./conformance/verdict.ts";

const all = scenarios();
const scenariosOf = (edition: Edition) =>
  all.filter(({ editions }) => editions.includes(edition)).map(({ scenario }) => scenario);

const found = new Map<Edition, Map<string, Check[]>>();

beforeAll(async () => {
  const token = crypto.randomUUID();
  const door = openFixture(token);
  using suite = letIn(door.port, token);
  const directory = mkdtempSync(join(tmpdir(), "conformance-"));
  const under = (edition: Edition) => join(directory, edition);
  await Promise.all([
    ...versions.map(async (version) => {
      found.set(version, await runVersion(suite.url, version, under(version)));
    }),
    runEach(suite.url, scenariosOf(extension), under(extension)).then((checks) =>
      found.set(extension, checks),
    ),
  ]);
  await door.close();
  rmSync(directory, { recursive: true });
}, 240_000);

for (const edition of editions) {
  describe(edition === extension ? "Extensions" : `The protocol of ${edition}`, () => {
    for (const scenario of scenariosOf(edition)) {
      const excused = exceptions.filter((one) => one.scenario === scenario && one.edition === edition);
      test(`scenario ${scenario} passes${excused.length > 0 ? ", but for its exceptions" : ""}`, () => {
        expect(complaints(found.get(edition)?.get(scenario) ?? [], excused)).toEqual([]);
      });
    }
  });
}

test("the suite has scenarios of both versions, and those of the Tasks extension", () => {
  for (const version of versions) expect(scenariosOf(version).length).toBeGreaterThan(30);
  expect(scenariosOf(extension).filter((name) => name.startsWith("tasks-")).length).toBeGreaterThanOrEqual(
    10,
  );
});

test("every exception is of a scenario that there is", () => {
  const unknown = exceptions.filter(({ scenario, edition }) => !scenariosOf(edition).includes(scenario));
  expect(unknown).toEqual([]);
});

test("a scenario that fails, is skipped, or passes in spite of an exception is complained of", () => {
  const check = (status: Check["status"]): Check => ({ id: status.toLowerCase(), status });
  expect(complaints([check("SUCCESS"), check("INFO")], [])).toEqual([]);
  expect(complaints([], [])).toEqual(["no check was run"]);
  expect(complaints([check("SKIPPED")], [])).toContain("no check succeeded");
  expect(complaints([check("SUCCESS"), check("FAILURE")], [])).toHaveLength(1);
  expect(complaints([check("SUCCESS"), check("WARNING")], [{ checks: ["warning"] }])).toEqual([]);
  expect(complaints([check("SUCCESS")], [{ checks: ["warning"] }])).toHaveLength(1);
  expect(complaints([check("SUCCESS")], [{ checks: "skipped" }])).toHaveLength(1);
  expect(complaints([check("SKIPPED"), check("FAILURE")], [{ checks: "skipped" }])).toHaveLength(1);
});
