// The names of files: they are part of what users and earlier versions rely on.
import { expect, test } from "bun:test";
import { batchIdSchema } from "../../src/model/batch-id.ts";
import {
  batchOfPages,
  isFileOfOurs,
  layoutOf,
  outputFiles,
  padded,
  stderrBeside,
} from "../../src/store/layout.ts";
import { nativePath } from "../native-path.ts";

const batchId = batchIdSchema.parse("b4k2m9xz");
const layout = layoutOf("/state");

test("everything of ours has its place below the state directory", () => {
  expect([layout.stateDirectory, layout.database, layout.httpTokenFile]).toEqual([
    "/state",
    nativePath("/state/store.sqlite"),
    nativePath("/state/http-token"),
  ]);
  const folder = "/state/batches/b4k2m9xz";
  const at = (name: string) => nativePath(`${folder}/${name}`);
  expect(layout.batchDirectory(batchId)).toBe(nativePath(folder));
  expect(layout.pages(batchId)).toBe(at("pages"));
  expect(layout.settings(batchId, "abc")).toBe(at("settings-abc.json"));
  expect(layout.privateFolder(batchId)).toBe(at("private"));
  expect(layout.runnerLog(batchId)).toBe(at("runner.log"));
  const transcript = layout.transcript(batchId, "0197");
  expect(transcript).toBe(at("session-0197.ndjson"));
  expect(stderrBeside(transcript)).toBe(at("session-0197.stderr.txt"));
});

test.each([
  ["store.sqlite", true],
  ["store.sqlite-wal", true],
  ["http-token", true],
  ["ui-token", true],
  ["ui-server.json", true],
  ["ui-code", true],
  ["ui.html", true],
  ["batches", true],
  ["batches2", false],
  ["my store.sqlite", false],
])("%s in a state directory is ours: %p", (name, isOurs) => {
  expect(isFileOfOurs(name)).toBe(isOurs);
});

test.each([
  ["/state/batches/b4k2m9xz/pages", "b4k2m9xz"],
  ["/elsewhere/batches/b4k2m9xz/pages", undefined],
  ["/state/batches/b4k2m9xz/private", undefined],
  ["/state/batches/not-one/pages", undefined],
  ["/home/me/Desktop", undefined],
])("%s holds the pages of %p", (directory, id) => {
  expect<string | undefined>(batchOfPages(layout, nativePath(directory))).toBe(id);
});

test.each([
  [1, 1, "001"],
  [42, 999, "042"],
  [42, 1_000, "0042"],
  [12_345, 12_345, "12345"],
])("task %d of %d is %s in names", (task, total, text) => {
  expect(padded(task, total)).toBe(text);
});

test("the files of an output directory are those that users know", () => {
  expect([
    outputFiles.index,
    outputFiles.report("b4k2m9xz"),
    outputFiles.feed("b4k2m9xz"),
    outputFiles.lines("b4k2m9xz"),
    outputFiles.data("b4k2m9xz"),
    outputFiles.summary("b4k2m9xz"),
    outputFiles.result(1, 40, 1_703_123_456_789),
    outputFiles.error(42, 1_000, 1_703_123_456_789),
  ]).toEqual([
    "index.html",
    "report-b4k2m9xz.html",
    "report-b4k2m9xz.js",
    "results-b4k2m9xz.jsonl",
    "results-b4k2m9xz.csv",
    "summary-b4k2m9xz.json",
    "result-001-1703123456789.html",
    "error-0042-1703123456789.txt",
  ]);
});
