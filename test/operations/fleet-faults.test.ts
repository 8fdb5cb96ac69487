// What is wrong with a batch for a fleet is said before anything runs.
import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { planBatch } from "../../src/operations/plan.ts";
import { Inside } from "../inside.ts";
import { inWords } from "./in-words.ts";

function insideWithFleet(): Inside {
  const inside = new Inside();
  const keyFile = join(inside.path, "key");
  writeFileSync(keyFile, "k".repeat(43));
  chmodSync(keyFile, 0o600);
  const fleets = { team: { url: "rediss://u@redis.example.com", keyFile, blobs: "~/blobs" } };
  process.env["PARALLEL_CLAUDE_FLEETS"] = JSON.stringify(fleets);
  return inside;
}

async function faultsOf(inside: Inside, input: Record<string, unknown>): Promise<string[]> {
  const given = { workingDirectory: inside.work, tasks: ["one"], ...input };
  const planned = await planBatch(inside.context(), "spawn_parallel_claude_sessions", given);
  return planned.ok ? [] : inWords(planned.faults).map((fault) => inside.named(fault));
}

test("a batch keeps the settings of its fleet, and none of its secrets", async () => {
  using inside = insideWithFleet();
  const input = { workingDirectory: inside.work, task: "one", fleet: "team" };
  const planned = await planBatch(inside.context(), "spawn_claude_session", input);
  if (!planned.ok) throw new Error(inWords(planned.faults).join("\n"));
  expect(planned.value.batch.fleet).toMatchObject({ name: "team", settings: { blobs: "~/blobs" } });
  expect(JSON.stringify(planned.value.batch)).not.toContain("kkkk");
});

test("a batch without a fleet has none", async () => {
  using inside = insideWithFleet();
  const planned = await planBatch(inside.context(), "run", { workingDirectory: inside.work, tasks: ["one"] });
  expect(planned.ok && "fleet" in planned.value.batch).toBe(false);
});

test("a batch on a fleet has no hosts of its own, and none of the configuration", async () => {
  using inside = insideWithFleet();
  expect(await faultsOf(inside, { fleet: "team", hosts: ["box1"] })).toEqual([
    "hosts cannot be given with `fleet`, which has machines of its own",
  ]);
  process.env["PARALLEL_CLAUDE_HOSTS"] = '["box1"]';
  const planned = await planBatch(inside.context(), "run", {
    workingDirectory: inside.work,
    tasks: ["one"],
    fleet: "team",
  });
  if (!planned.ok) throw new Error(inWords(planned.faults).join("\n"));
  expect(planned.value.batch.hosts).toBeUndefined();
});

test("a batch that a session starts is not on the fleet of the configuration, where it would wait for itself", async () => {
  using inside = insideWithFleet();
  process.env["PARALLEL_CLAUDE_FLEET"] = "team";
  process.env["PARALLEL_CLAUDE_MAX_DEPTH"] = "2";
  const fleetOf = async () => {
    const given = { workingDirectory: inside.work, tasks: ["one"] };
    const planned = await planBatch(inside.context(), "run", given);
    if (!planned.ok) throw new Error(inWords(planned.faults).join("\n"));
    return planned.value.batch.fleet?.name;
  };
  expect(await fleetOf()).toBe("team");
  process.env["PARALLEL_CLAUDE_DEPTH"] = "1";
  expect(await fleetOf()).toBeUndefined();
});

test("an unknown fleet is refused with the names of the others", async () => {
  using inside = insideWithFleet();
  expect(await faultsOf(inside, { fleet: "taem" })).toEqual([
    expect.stringMatching(
      /^fleet was given as "taem": expected one of the fleets in .*: team; did you mean `team`\?$/,
    ),
  ]);
  expect(await faultsOf(inside, { fleet: "constructor" })).toHaveLength(1);
  delete process.env["PARALLEL_CLAUDE_FLEETS"];
  expect(await faultsOf(inside, { fleet: "team" })).toEqual([
    expect.stringContaining("no fleet is configured; add it to `fleets` in "),
  ]);
});

test("a key that is missing is a fault, with its path", async () => {
  using inside = insideWithFleet();
  const fleets = { team: { url: "rediss://u@redis.example.com", keyFile: "~/nothing", blobs: "~/blobs" } };
  process.env["PARALLEL_CLAUDE_FLEETS"] = JSON.stringify(fleets);
  const [fault] = await faultsOf(inside, { fleet: "team" });
  expect(fault).toMatch(/^fleet cannot be used: .*nothing does not exist\. Correct `keyFile`/);
});

test("settings of a fleet that cannot be read are a fault of the configuration, with their place", async () => {
  using inside = new Inside();
  const fleets = { team: { url: "rediss://u:secret@redis.example.com", keyFile: "~/key", blob: "~/blobs" } };
  process.env["PARALLEL_CLAUDE_FLEETS"] = JSON.stringify(fleets);
  const { faults } = inside.context().inForce;
  expect(faults).toHaveLength(1);
  expect(faults[0]).toContain("PARALLEL_CLAUDE_FLEETS.team.url");
  expect(faults[0]).toContain("did you mean `blobs`?");
  expect(faults[0]).not.toContain("secret");
});

test("a batch that names neither fleet nor hosts runs on the fleet of the configuration", async () => {
  using inside = insideWithFleet();
  process.env["PARALLEL_CLAUDE_FLEET"] = "team";
  const fleetOf = async (input: Record<string, unknown>) => {
    const given = { workingDirectory: inside.work, tasks: ["one"], ...input };
    const planned = await planBatch(inside.context(), "run", given);
    if (!planned.ok) throw new Error(inWords(planned.faults).join("\n"));
    return planned.value.batch.fleet?.name;
  };
  expect(await fleetOf({})).toBe("team");
  expect(await fleetOf({ fleet: "" })).toBeUndefined();
  expect(await fleetOf({ hosts: [] })).toBeUndefined();
  // The setting about hosts stands back.
  process.env["PARALLEL_CLAUDE_HOSTS"] = '["box1"]';
  expect(await fleetOf({})).toBe("team");
  process.env["PARALLEL_CLAUDE_FLEET"] = "taem";
  expect(await faultsOf(inside, {})).toEqual([expect.stringContaining("did you mean `team`?")]);
});

test("what the fleet of the configuration cannot do says how to do without it", async () => {
  using inside = insideWithFleet();
  process.env["PARALLEL_CLAUDE_FLEET"] = "team";
  expect(await faultsOf(inside, { addDirectories: [inside.work] })).toEqual([
    'addDirectories cannot be used with the setting `fleet`; `fleet: ""` runs the batch here: a worker has only the working directory',
  ]);
});

test("the concurrency of this machine's configuration does not limit its workers", async () => {
  using inside = insideWithFleet();
  process.env["PARALLEL_CLAUDE_CONCURRENCY"] = "4";
  const input = { workingDirectory: inside.work, tasks: ["one"], fleet: "team" };
  const planned = await planBatch(inside.context(), "run", input);
  if (!planned.ok) throw new Error(inWords(planned.faults).join("\n"));
  expect(planned.value.batch).toMatchObject({ concurrency: "auto", slots: 4 });
});

test("a template that names files of this machine is refused, and one that names them below the directory is not", async () => {
  using inside = insideWithFleet();
  mkdirSync(join(inside.work, "empty"));
  writeFileSync(join(inside.work, "a.txt"), "a");
  const templated = (template: string) => ({
    tasks: undefined,
    template,
    forEach: { glob: "*.txt" },
    fleet: "team",
  });
  expect(await faultsOf(inside, templated("Read {{path}}"))).toEqual([
    "template has {{path}}, the path of a file on this machine, and cannot be used with `fleet`; {{file}} is the same below the working directory",
  ]);
  const [fault = ""] = await faultsOf(inside, templated("Read {{file}}"));
  expect(fault).not.toContain("template");
  const batch = inside.batch(inside.context()).answer(1, "yes").finish();
  const results = { tasks: undefined, template: "Read {{result}}", fleet: "team" };
  expect(await faultsOf(inside, { ...results, forEach: { resultsOf: batch.id } })).toContain(
    "template has {{result}}, the path of a file on this machine, and cannot be used with `fleet`",
  );
});

describe("options that mean nothing on another machine", () => {
  const cases: [string, Record<string, unknown>][] = [
    ["env", { env: { A: "secret" } }],
    ["resumeSessionId", { resumeSessionId: "123" }],
    ["addDirectories", { addDirectories: ["."] }],
    ["reuse", { reuse: "auto" }],
    ["reuseSessions", { reuseSessions: "auto" }],
    ["mcpConfig", { mcpConfig: "servers.json" }],
  ];
  test.each(cases)("%s is refused, of the batch and of a task", async (name, options) => {
    using inside = insideWithFleet();
    writeFileSync(join(inside.work, "servers.json"), '{"mcpServers": {}}');
    const [ofBatch, ...rest] = await faultsOf(inside, { fleet: "team", ...options });
    expect(rest).toEqual([]);
    expect(ofBatch).toStartWith(`${name} `);
    expect(ofBatch).not.toContain("secret");
    const [ofTask] = await faultsOf(inside, { fleet: "team", tasks: ["one", { task: "two", ...options }] });
    expect(ofTask).toStartWith(`tasks[1].${name} `);
    expect(await faultsOf(inside, options)).toEqual([]);
  });

  test("the path of another task's answer", async () => {
    using inside = insideWithFleet();
    const tasks = [
      { task: "one", key: "a" },
      { task: "read {{results.a}}", after: ["a"] },
    ];
    expect(await faultsOf(inside, { fleet: "team", tasks })).toEqual([
      expect.stringContaining("tasks[1] has {{results.…}}"),
    ]);
  });
});

describe("directories", () => {
  test("an empty one is fine, and one with files needs a repository; each is reported once", async () => {
    using inside = insideWithFleet();
    expect(await faultsOf(inside, { fleet: "team" })).toEqual([]);
    writeFileSync(join(inside.work, "a.txt"), "a");
    const tasks = ["one", "two", { task: "three", workingDirectory: "." }];
    expect(await faultsOf(inside, { fleet: "team", tasks })).toEqual([
      expect.stringMatching(/^workingDirectory .* is neither in a Git repository, nor below `shared`/),
    ]);
  });

  test("one of a task is reported there", async () => {
    using inside = insideWithFleet();
    const below = join(inside.work, "below");
    mkdirSync(below);
    writeFileSync(join(below, "a.txt"), "a");
    const tasks = ["one", { task: "two", workingDirectory: "below" }];
    // The directory above is not empty either.
    expect(await faultsOf(inside, { fleet: "team", tasks })).toEqual([
      expect.stringMatching(/^workingDirectory /),
      expect.stringMatching(/^tasks\[1\]\.workingDirectory .*below is neither in a Git repository/),
    ]);
  });

  test("one that all machines share may have any files", async () => {
    using inside = insideWithFleet();
    const fleets = JSON.parse(process.env["PARALLEL_CLAUDE_FLEETS"] ?? "{}");
    fleets.team.shared = [inside.path];
    process.env["PARALLEL_CLAUDE_FLEETS"] = JSON.stringify(fleets);
    writeFileSync(join(inside.work, "a.txt"), "a");
    expect(await faultsOf(inside, { fleet: "team" })).toEqual([]);
  });
});
