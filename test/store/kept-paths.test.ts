import { expect, test } from "bun:test";
import { batchIdSchema } from "../../src/model/batch-id.ts";
import type { EventBody } from "../../src/model/event.ts";
import { KeptPaths } from "../../src/store/kept-paths.ts";
import { nativePath } from "../native-path.ts";
import { batchOf } from "./samples.ts";

const batchId = batchIdSchema.parse("b4k2m9xz");
const there = new KeptPaths("/home/one/state", batchId);
const here = new KeptPaths("/srv/restored", batchId);

for (const [path, kept] of [
  [
    "/home/one/state/batches/b4k2m9xz/task-001-attempt-1.ndjson",
    "batches/b4k2m9xz/task-001-attempt-1.ndjson",
  ],
  ["/home/one/state/results", "results"],
  ["/home/one/state", ""],
  ["/home/one/statement/results", "/home/one/statement/results"],
  ["/home/one/Desktop", "/home/one/Desktop"],
] as const) {
  test(`${path} is kept as ${JSON.stringify(kept)}, and comes back`, () => {
    expect(there.kept(nativePath(path))).toBe(kept === path ? nativePath(path) : kept);
    expect(there.absolute(kept)).toBe(kept === path ? path : nativePath(path));
  });
}

for (const former of [
  "/home/one/state/batches/b4k2m9xz/pages",
  "/somewhere/else entirely/batches/b4k2m9xz/pages",
  "C:\\Users\\one\\AppData\\Local\\parallel-claude-code-mcp\\batches\\b4k2m9xz\\pages",
  "batches/b4k2m9xz/pages",
]) {
  test(`${former}, as an older program or another machine kept it, is in the state directory of today`, () => {
    expect(here.absolute(former)).toBe(nativePath("/srv/restored/batches/b4k2m9xz/pages"));
  });
}

test("another batch's folder, and a place of the user's, stay where they are", () => {
  for (const path of ["/x/batches/zzzzzzzz/pages", "/home/one/Desktop/claude-code-results"])
    expect(here.absolute(path)).toBe(path);
});

/** With all paths as this system writes them. */
function native<Value>(value: Value): Value {
  return JSON.parse(
    JSON.stringify(value, (_, part) =>
      typeof part === "string" && part.startsWith("/") ? nativePath(part) : part,
    ),
  );
}

test("every event that names a path names it where it is today, and texts stay as they are", () => {
  const text = "Read batches/b4k2m9xz/notes and /home/one/state/batches/b4k2m9xz/notes\nand say why.";
  const sessionOptions = {
    settings: "/home/one/state/batches/b4k2m9xz/settings-1.json",
    workingDirectory: "/home/one/work",
    appendSystemPrompt: text,
  };
  const founding = batchOf(1);
  const events: EventBody[] = native([
    {
      ...founding,
      batch: {
        ...founding.batch,
        sessionOptions,
        tasks: [{ prompt: "/home/one/state/batches/b4k2m9xz/x", options: { ...sessionOptions } }],
        outputDirectory: "/home/one/state/batches/b4k2m9xz/pages",
      },
    },
    { type: "leash-released", outputDirectory: "/home/one/state/out" },
    { type: "file-failed", path: "/home/one/state/batches/b4k2m9xz/pages/index.html", message: "ENOSPC" },
    {
      type: "attempt-started",
      task: 1,
      attempt: 1,
      identity: { host: "elsewhere", id: "1" },
      sessionId: "1",
      transcript: "/home/one/state/batches/b4k2m9xz/task-1-attempt-1.ndjson",
      workingDirectory: "/home/one/state/batches/b4k2m9xz/tree-1",
    },
  ]);
  for (const event of events) expect(there.eventToday(there.keptEvent(event))).toEqual(event);
  const moved = events.map((event) => here.eventToday(there.keptEvent(event)));
  const settings = "/srv/restored/batches/b4k2m9xz/settings-1.json";
  expect(moved).toMatchObject(
    native([
      {
        batch: {
          outputDirectory: "/srv/restored/batches/b4k2m9xz/pages",
          sessionOptions: { settings, workingDirectory: "/home/one/work", appendSystemPrompt: text },
          tasks: [{ prompt: "/home/one/state/batches/b4k2m9xz/x", options: { settings } }],
        },
      },
      { outputDirectory: "/srv/restored/out" },
      { path: "/srv/restored/batches/b4k2m9xz/pages/index.html" },
      {
        transcript: "/srv/restored/batches/b4k2m9xz/task-1-attempt-1.ndjson",
        workingDirectory: "/srv/restored/batches/b4k2m9xz/tree-1",
      },
    ]),
  );
});

test("the directory of a session on another machine stays as it is", () => {
  const started: EventBody = {
    type: "attempt-started",
    task: 1,
    attempt: 1,
    identity: { host: "box1", id: "a" },
    sessionId: "s",
    transcript: nativePath("/home/one/state/batches/b4k2m9xz/session-a.ndjson"),
    workingDirectory: "box1:/srv/app",
  };
  const kept = there.keptEvent(started);
  expect(kept).toMatchObject({
    transcript: "batches/b4k2m9xz/session-a.ndjson",
    workingDirectory: "box1:/srv/app",
  });
  expect(here.eventToday(kept)).toMatchObject({ workingDirectory: "box1:/srv/app" });
});
