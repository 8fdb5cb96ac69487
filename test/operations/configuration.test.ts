// What the operator decided: defaults, a file, and variables, each with its source.
import { describe, expect, test } from "bun:test";
import { delimiter, resolve } from "node:path";
import { readConfiguration } from "../../src/operations/configuration.ts";
import { testNeeding } from "../facilities.ts";
import { Inside } from "../inside.ts";

const place = "config/parallel-claude-code-mcp/config.json";

/** One setting as it is in force. */
function setting(name: string) {
  return readConfiguration().settings.find((one) => one.name === name);
}

describe("a setting", () => {
  test("is a default, of the file, or of a variable, which wins", () => {
    using inside = new Inside();
    expect(setting("maxDepth")).toEqual({ name: "maxDepth", value: 1, source: "default" });
    const file = inside.write(place, '\uFEFF{"maxDepth": 2, "memoryLimitMb": null}');
    expect(setting("maxDepth")).toEqual({ name: "maxDepth", value: 2, source: file });
    expect(setting("memoryLimitMb")?.source).toBe("default");
    process.env["PARALLEL_CLAUDE_MAX_DEPTH"] = "3";
    expect(setting("maxDepth")).toEqual({ name: "maxDepth", value: 3, source: "PARALLEL_CLAUDE_MAX_DEPTH" });
    expect(readConfiguration()).toMatchObject({ file, faults: [], warnings: [] });
  });

  test("that is broken has no value, and stops only who needs it", () => {
    using inside = new Inside({ PARALLEL_CLAUDE_MAX_DEPTH: "deep" });
    const file = inside.write(place, '{"syncWaitSeconds": "soon", "concurrency": 4}');
    const { configuration, faults, settings } = readConfiguration();
    expect(faults).toHaveLength(2);
    expect(faults).toContainEqual(expect.stringMatching(/^PARALLEL_CLAUDE_MAX_DEPTH was given as "deep"/));
    expect(faults).toContainEqual(expect.stringContaining(`${file}: syncWaitSeconds was given as "soon"`));
    expect(configuration.concurrency).toBe(4);
    expect(() => configuration.maxDepth).toThrow("PARALLEL_CLAUDE_MAX_DEPTH was given as");
    expect(settings.find(({ name }) => name === "maxDepth")?.value).toBeUndefined();
  });

  test("of places is an absolute path, and lists are written as systems write them", () => {
    using inside = new Inside({
      PARALLEL_CLAUDE_ALLOWED_ROOTS: ["/first", "", "/second/../third", " "].join(delimiter),
      PARALLEL_CLAUDE_OUTPUT_DIRECTORY: "/out/./x",
    });
    // On Windows, on the drive of the home.
    const rooted = (path: string) => resolve(inside.path, path);
    expect(readConfiguration().configuration).toMatchObject({
      allowedRoots: [rooted("/first"), rooted("/third")],
      outputDirectory: rooted("/out/x"),
      stateDirectory: inside.state,
    });
    process.env["PARALLEL_CLAUDE_ALLOWED_ROOTS"] = ' ["/fourth"]';
    expect(readConfiguration().configuration.allowedRoots).toEqual([rooted("/fourth")]);
    process.env["PARALLEL_CLAUDE_ALLOWED_ROOTS"] = ["/first", "https://x"].join(delimiter);
    process.env["PARALLEL_CLAUDE_OUTPUT_DIRECTORY"] = "https://x";
    expect(readConfiguration().faults.join("\n")).toContain(
      'PARALLEL_CLAUDE_OUTPUT_DIRECTORY was given as "https://x", which is an address; expected a path',
    );
  });
});

describe("a file", () => {
  const cases: [text: string, fault: RegExp][] = [
    ["[]", /config\.json must contain a JSON object$/],
    ["null", /config\.json must contain a JSON object$/],
    ["3", /config\.json must contain a JSON object$/],
    ["{", /config\.json cannot be read: .*Expected '}'$/],
  ];
  for (const [text, fault] of cases)
    test(`${text} is refused once, and variables count all the same`, () => {
      using inside = new Inside({ PARALLEL_CLAUDE_MAX_DEPTH: "3" });
      inside.write(place, text);
      const { faults, configuration, warnings } = readConfiguration();
      expect(faults).toEqual([expect.stringMatching(fault)]);
      expect(configuration.maxDepth).toBe(3);
      expect(() => configuration.concurrency).toThrow("config.json");
      expect(warnings).toEqual([]);
    });
});

test("names that nobody knows are warned of", () => {
  using inside = new Inside({
    PARALLEL_CLAUDE_CONCURENCY: "3",
    PARALLEL_CLAUDE_SOMETHING_NEW: "3",
    PARALLEL_CLAUDE_DOWNLOADS: "x",
  });
  const file = inside.write(place, '{"concurency": 3, "ofNextYear": 1}');
  expect(readConfiguration().warnings).toEqual([
    "the variable PARALLEL_CLAUDE_CONCURENCY is not known and has no effect; did you mean `PARALLEL_CLAUDE_CONCURRENCY`?",
    "the variable PARALLEL_CLAUDE_SOMETHING_NEW is not known and has no effect; a newer version of this program may know it",
    `the setting concurency in ${file} is not known and has no effect; did you mean \`concurrency\`?`,
    `the setting ofNextYear in ${file} is not known and has no effect; a newer version of this program may know it`,
  ]);
});

testNeeding("files that can be removed while open")(
  "a context reads it once, and opens the store again where that was removed",
  () => {
    using inside = new Inside();
    const context = inside.context();
    expect(context.openedStore).toBeUndefined();
    const { store, inForce } = context;
    expect(context.store).toBe(store);
    expect(context.inForce).toBe(inForce);
    inside.remove(store.layout.database);
    expect(context.store).not.toBe(store);
    expect(context.store.list()).toEqual([]);
  },
);
