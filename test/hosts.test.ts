// Batches on other machines: each an sshd of Debian's on loopback, with a state directory of its own.
import { expect } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { testNeeding } from "./facilities.ts";
import { eventually, Home, killIfThere, program, run } from "./harness.ts";
import { OwnSshd } from "./own-sshd.ts";

const withSshd = testNeeding("sshd", "Linux");

/** Starts a batch in the background, and returns its id. */
async function detached(home: Home, ...words: string[]): Promise<string> {
  const { code, out, err } = await run(home, ["run", "--detach", "--json", ...words]);
  if (code !== 0) throw new Error(err);
  return String((JSON.parse(out) as { batchId: string }).batchId);
}

interface Summary {
  status: string;
  results: { status: string; result?: string; error?: string; workingDirectory?: string }[];
}

async function ended(home: Home, batchId: string): Promise<Summary> {
  const { out, err } = await run(home, ["wait", batchId, "--json"]);
  if (out === "") throw new Error(err);
  return JSON.parse(out) as Summary;
}

const statuses = ({ results }: Summary) => results.map(({ status }) => status);

/** How many sessions have started, wherever. */
function starts(home: Home): number {
  return existsSync(home.startsLog) ? readFileSync(home.startsLog, "utf8").trim().split("\n").length : 0;
}

/** A task that says when it has begun, and ends once it may. */
class Gate {
  readonly #home: Home;
  readonly #name: string;

  constructor(home: Home, name = "gate") {
    this.#home = home;
    this.#name = name;
  }

  task(answer = "done"): string {
    const { begun, open } = this.#files;
    return `[[touch path=${begun}]] [[wait-for-file path=${open}]] [[answer text="${answer}"]]`;
  }

  async begun(): Promise<void> {
    await eventually(
      () => existsSync(this.#files.begun),
      () => "the session does not begin",
    );
  }

  open(): void {
    writeFileSync(this.#files.open, "");
  }

  get #files() {
    return {
      begun: this.#home.file(`${this.#name}-begun`),
      open: this.#home.file(`${this.#name}-open`),
    };
  }
}

const on = (home: Home, ...names: string[]): string[] => [
  ...names.flatMap((name) => ["--hosts", name]),
  "--cd",
  `*:${home.work}`,
];

withSshd("a task runs on another machine, its answer comes back, and nothing of it stays there", async () => {
  await using home = new Home();
  await using box = await OwnSshd.start(home, "box1");
  const { code, out, err } = await run(home, [
    ...["run", "--hosts", "box1", "--cd", `box1:${home.work}`],
    '[[answer text="from afar"]]',
  ]);
  expect({ code, out: out.trim(), err }).toMatchObject({ code: 0, out: "from afar" });
  const left = () => readdirSync(join(box.state, "far")).filter((name) => /^[a-z2-9]{8}$/.test(name));
  await eventually(
    () => left().length === 0,
    () => `left: ${left()}`,
  );
});

withSshd("tasks go to the machine that runs the fewest", async () => {
  await using home = new Home();
  await using _one = await OwnSshd.start(home, "box1");
  await using _two = await OwnSshd.start(home, "box2");
  const gates = Array.from({ length: 4 }, (_, index) => new Gate(home, `gate${index}`));
  const batchId = await detached(home, ...on(home, "box1", "box2"), ...gates.map((gate) => gate.task()));
  for (const gate of gates) await gate.begun();
  const { out } = await run(home, ["show", batchId, "--json"]);
  for (const gate of gates) gate.open();
  const summary = await ended(home, batchId);
  expect(statuses(summary)).toEqual(Array(4).fill("success"));
  expect([...out.matchAll(/"workingDirectory": "(box\d):/g)].map(([, name]) => name).toSorted()).toEqual([
    "box1",
    "box1",
    "box2",
    "box2",
  ]);
});

withSshd(
  "a session goes on while its machine cannot be reached, and is read to its end afterwards",
  async () => {
    await using home = new Home();
    await using box = await OwnSshd.start(home, "box1");
    const gate = new Gate(home);
    const batchId = await detached(home, ...on(home, "box1"), gate.task("while it was cut off"));
    await gate.begun();
    await box.cut();
    gate.open();
    await eventually(
      () => !home.processes().some(({ command }) => command.includes("--session-id")),
      () => "the session does not end",
    );
    await box.up();
    const summary = await ended(home, batchId);
    expect(summary.results[0]).toMatchObject({ status: "success", result: "while it was cut off" });
    expect(starts(home)).toBe(1);
  },
);

withSshd("a relay that is killed is started again, and nothing is said twice", async () => {
  await using home = new Home();
  await using box = await OwnSshd.start(home, "box1");
  const gate = new Gate(home);
  const batchId = await detached(home, ...on(home, "box1"), gate.task());
  await gate.begun();
  for (let round = 0; round < 3; round++) {
    await eventually(
      () => box.connections().length > 0,
      () => "there is no relay",
    );
    for (const pid of box.connections()) killIfThere(pid);
  }
  gate.open();
  const summary = await ended(home, batchId);
  expect(statuses(summary)).toEqual(["success"]);
  expect(starts(home)).toBe(1);
});

withSshd("sessions of a far keeper that was killed are taken over by the next one", async () => {
  await using home = new Home();
  await using box = await OwnSshd.start(home, "box1");
  const gate = new Gate(home);
  const batchId = await detached(home, ...on(home, "box1"), gate.task());
  await gate.begun();
  const before = box.keeper;
  killIfThere(before ?? 0);
  await eventually(
    () => box.keeper !== undefined && box.keeper !== before,
    () => "there is no other keeper",
  );
  gate.open();
  const summary = await ended(home, batchId);
  expect(statuses(summary)).toEqual(["success"]);
  expect(starts(home)).toBe(1);
});

withSshd("the next runner goes on with the far sessions of one that was killed", async () => {
  await using home = new Home();
  await using _box = await OwnSshd.start(home, "box1");
  const gate = new Gate(home);
  const batchId = await detached(home, ...on(home, "box1"), gate.task());
  await gate.begun();
  const runner = home.processes().find(({ command }) => command.includes("__runner"));
  killIfThere(runner?.pid ?? 0);
  gate.open();
  const summary = await ended(home, batchId);
  expect(statuses(summary)).toEqual(["success"]);
  expect(starts(home)).toBe(1);
});

withSshd("a cancel reaches a far session, and everything that it started", async () => {
  await using home = new Home();
  await using _box = await OwnSshd.start(home, "box1");
  const begun = home.file("begun");
  const task = `[[grandchild double-fork]] [[touch path=${begun}]] [[hang]]`;
  const batchId = await detached(home, ...on(home, "box1"), task);
  await eventually(
    () => existsSync(begun),
    () => "the session does not begin",
  );
  await run(home, ["cancel", batchId]);
  const summary = await ended(home, batchId);
  expect(statuses(summary)).toEqual(["cancelled"]);
  const sessions = () => home.processes().filter(({ command }) => !command.includes(" __"));
  await eventually(
    () => sessions().length === 0,
    () => `still there: ${JSON.stringify(sessions())}`,
  );
});

withSshd(
  "a machine with another key than expected gets nothing, and the batch says why it waits",
  async () => {
    await using home = new Home();
    await using one = await OwnSshd.start(home, "box1");
    writeFileSync(home.file("ssh/known_hosts"), "");
    one.trust(home.file("ssh/id.pub"));
    const batchId = await detached(home, ...on(home, "box1"), "[[answer]]");
    let shown = "";
    await eventually(
      () => {
        const { stdout } = Bun.spawnSync([...program(), "show", batchId], {
          env: home.environment,
          cwd: home.work,
        });
        shown = stdout.toString();
        return shown.includes("Host key verification failed");
      },
      () => shown,
    );
    await run(home, ["cancel", batchId]);
    expect(statuses(await ended(home, batchId))).toEqual(["cancelled"]);
    expect(starts(home)).toBe(0);
    expect(existsSync(join(one.state, "far"))).toBe(false);
  },
);

withSshd("tasks of a machine that stays away run on another one, if the batch says so", async () => {
  await using home = new Home({ PARALLEL_CLAUDE_HOST_LEASE_SECONDS: "1" });
  await using one = await OwnSshd.start(home, "box1");
  const gate = new Gate(home);
  const words = [
    "--hosts",
    "box1",
    "--hosts",
    "box2",
    "--on-lost-host",
    "elsewhere",
    "--cd",
    `*:${home.work}`,
  ];
  // The only one that can be reached at first.
  const two = await OwnSshd.start(home, "box2");
  await two.cut();
  const batchId = await detached(home, ...words, gate.task());
  await gate.begun();
  await one.cut();
  await two.up();
  await using _two = two;
  await eventually(
    () => starts(home) === 2,
    () => "it does not start elsewhere",
  );
  gate.open();
  const summary = await ended(home, batchId);
  expect(statuses(summary)).toEqual(["success"]);
  // The one that was given up ended by itself.
  await eventually(
    () => !home.processes().some(({ command }) => command.includes("--session-id")),
    () => "a session is left",
  );
});

withSshd("what a session needs of the batch's own folder goes there with it", async () => {
  await using home = new Home();
  await using _box = await OwnSshd.start(home, "box1");
  const servers = JSON.stringify({ mcpServers: { none: { command: "true", env: { SECRET: "s3cret" } } } });
  const batchId = await detached(home, ...on(home, "box1"), "--mcp-config", servers, "[[answer text=ok]]");
  expect(statuses(await ended(home, batchId))).toEqual(["success"]);
  const started = JSON.parse(readFileSync(home.startsLog, "utf8").split("\n")[0] ?? "") as {
    argv?: string[];
  };
  const words = JSON.stringify(started);
  expect(words).toContain("machine-box1/state/far/");
  expect(words).not.toContain("s3cret");
});
