// The examples of docs/clusters.md, as they are typed: with GNU parallel, with a Slurm of our own, and what a Kubernetes Job
// would run in its pods. Sessions are those of the fake `claude`.
import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type CodeBlock, codeBlocks } from "../scripts/docs/blocks.ts";
import { product } from "../src/model/product.ts";
import { testNeeding } from "./facilities.ts";
import { Home } from "./harness.ts";
import { pathWithCommands, putProgram } from "./own-commands.ts";
import { OwnSlurm } from "./own-slurm.ts";

const document = await Bun.file(join(import.meta.dir, "..", "docs", "clusters.md")).text();
const blocks = codeBlocks(document);

function block(heading: string, fits: (block: CodeBlock) => boolean): string {
  const found = blocks.filter((one) => one.heading === heading && fits(one));
  if (found.length !== 1) throw new Error(`${found.length} blocks under ${heading}`);
  return found[0]?.text ?? "";
}

const isShell = ({ language }: CodeBlock) => language === "sh";
const lines = block("GNU parallel", ({ language }) => language === "json");
const prompts = lines
  .split("\n")
  .map((line): string => z.object({ task: z.string() }).parse(JSON.parse(line)).task);

/** A home with the file of tasks, in which the program has its name on PATH. */
async function homeWithTasks(): Promise<Home> {
  const home = new Home();
  await Bun.write(join(home.work, "tasks.jsonl"), `${lines}\n`);
  putProgram(home);
  return home;
}

async function typed(home: Home, text: string, more: Record<string, string> = {}) {
  const child = Bun.spawn(["sh", "-c", text], {
    cwd: home.work,
    env: { ...home.environment, PATH: pathWithCommands(home), ...more },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [code, out, err] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  return { code, out, err };
}

/** The prompts of the results in `results/`, which have all succeeded, by file. */
function succeeded(home: Home, folder = join(home.work, "results")): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => {
        const result = JSON.parse(readFileSync(join(folder, name), "utf8"));
        expect(result).toMatchObject({ status: "success", state: "finished" });
        return [name, result.taskDescription];
      }),
  );
}

const whole = Object.fromEntries(prompts.map((prompt, index) => [`tasks-${index + 1}.json`, prompt]));

function prompted(home: Home): number {
  return readFileSync(home.startsLog, "utf8")
    .split("\n")
    .filter((line) => line.includes('"kind":"prompt"')).length;
}

testNeeding("sh")("the first example writes the result of its task", async () => {
  await using home = await homeWithTasks();
  const { code } = await typed(home, block("On a cluster: Slurm, Kubernetes and GNU parallel", isShell));
  expect(code).toBe(0);
  expect(JSON.parse(readFileSync(join(home.work, "result.json"), "utf8"))).toMatchObject({
    status: "success",
  });
});

testNeeding("parallel", "jq")(
  "GNU parallel runs each line once, and only what is missing when typed again",
  async () => {
    await using home = await homeWithTasks();
    const command = block("GNU parallel", isShell);
    const first = await typed(home, command);
    expect(first.code).toBe(0);
    expect(first.out).toContain(`${prompts[0]}: success, $`);
    expect(succeeded(home)).toEqual(whole);
    const jobs = readFileSync(join(home.work, "jobs.tsv"), "utf8").trimEnd().split("\n");
    expect(jobs).toHaveLength(prompts.length + 1);
    const before = prompted(home);
    expect(before).toBe(prompts.length);
    await Bun.file(join(home.work, "results/tasks-2.json")).delete();
    // What is used again on this machine would cost nothing either; here it is seen that only one task runs.
    const again = await typed(home, command);
    expect(again.err.match(/Nothing was run/g)).toHaveLength(prompts.length - 1);
    expect(succeeded(home)).toEqual(whole);
    expect(prompted(home)).toBeLessThanOrEqual(before + 1);
  },
);

const script = block("Slurm", (one) => isShell(one) && one.text.startsWith("#!"));

testNeeding("sh")("the script for Slurm runs the line of its array index", async () => {
  await using home = await homeWithTasks();
  await Bun.write(join(home.work, "review.sbatch"), script);
  for (const index of ["1", "3"]) {
    const { code } = await typed(home, "sh review.sbatch", {
      SLURM_ARRAY_TASK_ID: index,
      SLURM_TMPDIR: home.path,
    });
    expect(code).toBe(0);
  }
  expect(succeeded(home)).toEqual({ "tasks-1.json": prompts[0] ?? "", "tasks-3.json": prompts[2] ?? "" });
  expect(readdirSync(home.path).filter((name) => name.startsWith(product.name))).toHaveLength(1);
});

testNeeding("slurm", "the rights of root")(
  "Slurm runs the array, and an array that is submitted again pays nothing",
  async () => {
    await using home = await homeWithTasks();
    await using slurm = await OwnSlurm.start(home);
    await Bun.write(join(home.work, "review.sbatch"), script);
    const submit = block("Slurm", (one) => isShell(one) && !one.text.startsWith("#!"));
    for (const count of [1, 2]) {
      const { code, err } = await typed(home, submit.replace("sbatch ", "sbatch --wait "), {
        ...slurm.environment,
        SLURM_TMPDIR: home.path,
      });
      expect({ count, code, err }).toEqual({ count, code: 0, err: "" });
      expect(succeeded(home)).toEqual(whole);
      expect(prompted(home)).toBe(prompts.length);
    }
    expect(readFileSync(join(home.work, "review-2.log"), "utf8")).toContain("Nothing was run");
  },
  180_000,
);

/** What we use of Kubernetes, as its reference for batch/v1 and core/v1 has it. Unknown fields are refused, as by `kubectl`. */
const name = z.string().regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
const metadata = z.strictObject({ name });
const quantity = z.string().regex(/^\d+(\.\d+)?(m|Ki|Mi|Gi|Ti)?$/);
const resources = z.strictObject({ cpu: quantity.optional(), memory: quantity.optional() });
const variable = z.union([
  z.strictObject({ name: z.string(), value: z.string() }),
  z.strictObject({
    name: z.string(),
    valueFrom: z.strictObject({ secretKeyRef: z.strictObject({ name, key: z.string() }) }),
  }),
]);
const container = z.strictObject({
  name,
  image: z.string(),
  workingDir: z.string().startsWith("/"),
  command: z.array(z.string()),
  args: z.array(z.string()),
  env: z.array(variable),
  resources: z.strictObject({ requests: resources, limits: resources }),
  volumeMounts: z.array(z.strictObject({ name, mountPath: z.string().startsWith("/") })),
});
const volume = z.union([
  z.strictObject({ name, configMap: metadata }),
  z.strictObject({ name, persistentVolumeClaim: z.strictObject({ claimName: name }) }),
  z.strictObject({ name, emptyDir: z.strictObject({}) }),
]);
const rule = z.strictObject({
  action: z.enum(["FailJob", "FailIndex", "Ignore", "Count"]),
  onExitCodes: z.strictObject({
    containerName: name,
    operator: z.enum(["In", "NotIn"]),
    values: z.array(z.int().min(1).max(255)),
  }),
});
const pod = z.strictObject({
  // Of the two that a Job accepts, the one that `podFailurePolicy` requires.
  restartPolicy: z.literal("Never"),
  terminationGracePeriodSeconds: z.int().positive(),
  containers: z.array(container).length(1),
  volumes: z.array(volume),
});
const configMap = z.strictObject({
  apiVersion: z.literal("v1"),
  kind: z.literal("ConfigMap"),
  metadata,
  data: z.record(z.string(), z.string()),
});
const job = z.strictObject({
  apiVersion: z.literal("batch/v1"),
  kind: z.literal("Job"),
  metadata,
  spec: z.strictObject({
    completionMode: z.enum(["Indexed", "NonIndexed"]),
    completions: z.int().positive(),
    parallelism: z.int().positive(),
    backoffLimit: z.int().min(0),
    podFailurePolicy: z.strictObject({ rules: z.array(rule).max(20) }),
    template: z.strictObject({ spec: pod }),
  }),
});

const manifest = z.tuple([configMap, job]).parse(
  block("Kubernetes", ({ language }) => language === "yaml")
    .split("\n---\n")
    .map((text) => Bun.YAML.parse(text)),
);

test("the Job for Kubernetes has a pod for each task, and everything that it mounts", () => {
  const [config, { spec }] = manifest;
  expect(config.data["tasks.jsonl"]).toBe(`${lines}\n`);
  expect(spec.completionMode).toBe("Indexed");
  expect(spec.completions).toBe(prompts.length);
  const { containers, volumes } = spec.template.spec;
  const [first] = containers;
  expect(first?.volumeMounts.map((mount) => mount.name).sort()).toEqual(
    volumes.map((one) => one.name).sort(),
  );
  expect(spec.podFailurePolicy.rules.map((one) => one.onExitCodes.containerName)).toEqual([
    first?.name ?? "",
  ]);
  const mounted = volumes.flatMap((one) => ("configMap" in one ? [one.configMap.name] : []));
  expect(mounted).toEqual([config.metadata.name]);
});

testNeeding("sh")("a pod of the Job for Kubernetes runs the task of its index", async () => {
  await using home = await homeWithTasks();
  const [first] = manifest[1].spec.template.spec.containers;
  if (!first) throw new Error("The Job has no container");
  // What a pod mounts is a folder of the home here.
  const places: Record<string, string> = { "/spec": home.work, "/work": home.work, "/state": home.state };
  const here = (text: string) =>
    text.replaceAll(/\/(?:spec|work|state)\b/g, (place) => places[place] ?? place);
  const env = first.env.flatMap((one) => ("value" in one ? [[one.name, here(one.value)]] : []));
  const { code } = await typed(home, here(first.args.join(" ")), {
    ...Object.fromEntries(env),
    JOB_COMPLETION_INDEX: "1",
  });
  expect(code).toBe(0);
  expect(succeeded(home)).toEqual({ "tasks-2.json": prompts[1] ?? "" });
  expect(existsSync(join(home.state, "store.sqlite"))).toBe(true);
});
