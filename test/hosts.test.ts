// Batches on other machines: each an sshd of Debian's on loopback, with a state directory of its own.
import { afterAll, expect } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { greeting } from "../src/far/greeting.ts";
import { testNeeding } from "./facilities.ts";
import { eventually, fakeDirectory, Home, killIfThere, program, run } from "./harness.ts";
import { OwnSshd } from "./own-sshd.ts";

const withSshd = testNeeding("sshd", "Linux");

/** Starts a batch in the background, and returns its id. */
async function detached(home: Home, ...words: string[]): Promise<string> {
  const { code, out, err } = await run(home, ["run", "--detach", "--json", ...words]);
  if (code !== 0) throw new Error(err);
  return String((JSON.parse(out) as { batchId: string }).batchId);
}

interface Summary {
  results: { status: string; result?: string; error?: string; host?: string; outcome?: string }[];
}

async function ended(home: Home, batchId: string, ...more: string[]): Promise<Summary> {
  await run(home, ["wait", batchId]);
  const { out, err } = await run(home, ["results", batchId, "--json", ...more]);
  if (out === "") throw new Error(err);
  return JSON.parse(out) as Summary;
}

const statuses = ({ results }: Summary) => results.map(({ status }) => status);

/** How many sessions have started, wherever. */
function starts(home: Home): number {
  const log = existsSync(home.startsLog) ? readFileSync(home.startsLog, "utf8") : "";
  // Others only ask for its version.
  return log.split("\n").filter((line) => line.includes("--session-id")).length;
}

/** Kills a process that must be there. */
function killKnown(pid: number | undefined): void {
  if (pid === undefined) throw new Error("A process that was to be killed is not there");
  process.kill(pid, "SIGKILL");
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
  // Only that machine needs a `claude`.
  const places = (home.environment["PATH"] ?? "").split(delimiter);
  home.set({ PATH: places.filter((place) => place !== fakeDirectory).join(delimiter) });
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
      () => box.transcripts().some((text) => text.includes("while it was cut off")),
      () => "the session does not answer",
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
  killKnown(before);
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
  killKnown(runner?.pid);
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
  expect(summary.results[0]?.outcome).toBe("cancelled: user");
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
    expect((await ended(home, batchId)).results[0]?.outcome).toBe("cancelled: user");
    expect(starts(home)).toBe(0);
    expect(existsSync(join(one.state, "far"))).toBe(false);
  },
);

withSshd("tasks of a machine that stays away run on another one, if the batch says so", async () => {
  await using home = new Home({ PARALLEL_CLAUDE_HOST_LEASE_SECONDS: "2" });
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
    // What a machine has lost is no try of the task.
    "--retries",
    "0",
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
    () => starts(home) >= 2,
    () => "it does not start elsewhere",
  );
  gate.open();
  const summary = await ended(home, batchId);
  expect(statuses(summary)).toEqual(["success"]);
  // Nobody knows what the one that was given up has cost by now.
  using store = home.store();
  expect(store.list()[0]).toMatchObject({ costAtLeast: true });
  // The one that was given up ended by itself.
  await eventually(
    () => !home.processes().some(({ command }) => command.includes("--session-id")),
    () => "a session is left",
  );
});

withSshd("a machine is added by its name: the program is copied once, and its checks are shown", async () => {
  await using home = new Home();
  await using box = await OwnSshd.start(home, "box1");
  box.forget();
  const script = `#!/bin/sh\nexec ${program().join(" ")} "$@"\n`;
  const executable = home.file("executable");
  writeFileSync(executable, script, { mode: 0o755 });
  const refused = await run(home, ["run", ...on(home, "box1"), "[[answer]]"]);
  expect(refused).toMatchObject({ code: 2, err: expect.stringContaining("host add box1") });
  const first = await run(home, ["host", "add", "box1", "--executable", executable]);
  expect(first.out).toContain("box1 was added. The program was copied there.");
  expect(first.code).toBe(0);
  expect(first.out).toMatch(/ok +claude/);
  const second = await run(home, ["host", "add", "box1", "--executable", executable]);
  expect(second.out).toContain("The program was there already.");
  const { code, out } = await run(home, ["run", ...on(home, "box1"), "[[answer text=copied]]"]);
  expect({ code, out: out.trim() }).toEqual({ code: 0, out: "copied" });
  // What was changed there in the environment, the keeper of before does not know.
  const gate = new Gate(home);
  const batchId = await detached(home, ...on(home, "box1"), gate.task());
  await gate.begun();
  const keeper = box.keeper ?? 0;
  await run(home, ["host", "add", "box1", "--executable", executable]);
  expect(box.keeper).toBe(keeper);
  gate.open();
  expect(statuses(await ended(home, batchId))).toEqual(["success"]);
  await eventually(
    () => !home.processes().some(({ pid }) => pid === keeper),
    () => "the keeper stays",
  );
});

withSshd("a machine that cannot be reached is not added, and the reason is that of ssh", async () => {
  await using home = new Home();
  await using box = await OwnSshd.start(home, "box1");
  box.forget();
  await box.cut();
  const { code, err } = await run(home, ["host", "add", "box1", "--executable", program()[0] ?? ""]);
  expect(code).toBe(2);
  expect(err).toMatch(
    /box1 was not added: it cannot be reached: ssh: connect to host .*refused. `ssh box1 true` must work/,
  );
  expect((await run(home, ["host", "add", "-oProxyCommand=touch"])).code).toBe(2);
  const list = await run(home, ["host", "list", "--json"]);
  expect(JSON.parse(list.out)).toMatchObject({ hosts: [] });
});

withSshd("the list of machines says what each runs, what nobody has read, and which is away", async () => {
  await using home = new Home();
  await using _one = await OwnSshd.start(home, "box1");
  await using two = await OwnSshd.start(home, "box2");
  await two.cut();
  const gate = new Gate(home);
  const batchId = await detached(home, ...on(home, "box1"), gate.task());
  await gate.begun();
  const { code, out } = await run(home, ["host", "list", "--json"]);
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    hosts: [
      { name: "box1", reachable: true, running: 1, unread: 0, batches: [batchId], sessions: 1, slots: 8 },
      { name: "box2", reachable: false, problem: expect.stringContaining("refused") },
    ],
  });
  const { findings } = JSON.parse((await run(home, ["doctor", "--json"])).out) as {
    findings: { name: string; ok: boolean; detail: string }[];
  };
  expect(findings.filter(({ name }) => name.startsWith("host "))).toMatchObject([
    { name: "host box1", ok: true, detail: expect.stringContaining("1 session runs.") },
    { name: "host box2", ok: false, detail: expect.stringContaining("refused") },
  ]);
  // Out of service, it takes nothing more, and ends what it has.
  const drained = await run(home, ["host", "drain", "box1", "--json"]);
  expect(JSON.parse(drained.out)).toMatchObject({
    ok: true,
    message: expect.stringContaining("What runs there ends by itself: 1 session now."),
    hosts: [{ name: "box1", running: 1, waits: ["it is out of service, until `host resume`"] }],
  });
  expect((await run(home, ["host", "drain", "box2"])).err).toMatch(/box2 was not changed: .*refused/);
  // `doctor` has started one.
  const before = starts(home);
  const later = await detached(home, ...on(home, "box1"), "[[answer text=later]]");
  gate.open();
  expect(statuses(await ended(home, batchId))).toEqual(["success"]);
  expect(starts(home)).toBe(before);
  expect((await run(home, ["host", "resume", "box1"])).out).toContain("box1 takes tasks again.");
  expect(statuses(await ended(home, later))).toEqual(["success"]);
});

withSshd("results that nobody reads any more go with `prune --host`", async () => {
  // Until its lease is over, somebody may read them.
  await using home = new Home({ PARALLEL_CLAUDE_HOST_LEASE_SECONDS: "1" });
  await using box = await OwnSshd.start(home, "box1");
  const gate = new Gate(home);
  await detached(home, ...on(home, "box1"), gate.task("unread"));
  await gate.begun();
  await box.cut();
  // Its keeper first, which would start another one.
  for (const which of [" __keeper", " __runner"])
    for (const { pid, command } of home.processes()) if (command.includes(which)) killIfThere(pid);
  gate.open();
  await eventually(
    () => box.transcripts().some((text) => text.includes("unread")),
    () => "the session does not answer",
  );
  await box.up();
  // It waits for the end of its input, which its runner would have said.
  const sessions = () => home.processes().filter(({ command }) => command.includes("--session-id"));
  await eventually(
    () => {
      for (const { pid } of sessions()) killIfThere(pid);
      return sessions().length === 0;
    },
    () => "a session does not die",
  );
  // From a state directory without the batch, which would otherwise go on with the command, and read what is there.
  const other = home.file("other-state");
  mkdirSync(other);
  copyFileSync(join(home.state, "hosts.json"), join(other, "hosts.json"));
  const env = { ...home.environment, PARALLEL_CLAUDE_STATE_DIRECTORY: other };
  // Once it has ended, and the lease is over.
  const isRemoved = () =>
    Bun.spawnSync([...program(), "prune", "--host", "box1"], { env, cwd: home.work })
      .stdout.toString()
      .includes("Removed 1 ended session");
  await eventually(isRemoved, () => "the session does not go");
  await eventually(
    () => box.transcripts().length === 0,
    () => "a transcript is left",
  );
});

withSshd(
  "a machine with a program of another version gets nothing, and the batch says why it waits",
  async () => {
    await using home = new Home();
    await using box = await OwnSshd.start(home, "box1");
    const other = home.file("other");
    const refusal = JSON.stringify({ type: "refused", kind: "protocol", because: "it runs version 9.9.9" });
    const lengths = Buffer.alloc(8);
    lengths.writeUInt32BE(4 + refusal.length);
    lengths.writeUInt32BE(refusal.length, 4);
    writeFileSync(home.file("words"), Buffer.concat([Buffer.from(greeting), lengths, Buffer.from(refusal)]));
    writeFileSync(other, `#!/bin/sh\ncat ${home.file("words")}\n`, { mode: 0o755 });
    box.add([other]);
    const batchId = await detached(home, ...on(home, "box1"), "[[answer]]");
    const shown = () =>
      Bun.spawnSync([...program(), "show", batchId], {
        env: home.environment,
        cwd: home.work,
      }).stdout.toString();
    await eventually(() => shown().includes("it runs version 9.9.9"), shown);
    await run(home, ["cancel", batchId]);
    expect((await ended(home, batchId)).results[0]?.outcome).toBe("cancelled: user");
  },
);

testNeeding(
  "sshd",
  "git",
  "Linux",
)("a directory that no session can work in is refused before anything runs", async () => {
  await using home = new Home();
  await using _box = await OwnSshd.start(home, "box1");
  const asked = (...words: string[]) => run(home, ["run", "[[answer]]", "--hosts", "box1", ...words]);
  git(home, "init", "--quiet", "inner");
  expect(await asked()).toMatchObject({
    code: 2,
    err: expect.stringMatching(/the Git repository inner.*`box1:\/path`/s),
  });
  expect(await asked("--cd", "box1:work")).toMatchObject({
    code: 2,
    err: expect.stringContaining("behind the colon, begin with `/` or `~/`"),
  });
  const resumed = await asked("--cd", `box1:${home.path}`, "--resume-session-id", crypto.randomUUID());
  expect(resumed.err.replaceAll(/\s+/g, " ")).toContain("a conversation is on the machine where it began");
  expect(await asked("--cd", "box1:/nowhere/at/all")).toMatchObject({
    code: 1,
    err: expect.stringContaining("outside the allowed roots"),
  });
  expect(await asked("--cd", `box1:${home.path}/nowhere`)).toMatchObject({
    code: 1,
    err: expect.stringContaining("no longer exists"),
  });
});

withSshd(
  "many tasks on two machines all end with their answers, while connections and runners are killed",
  async () => {
    // All fit at once: one that has to begin anew waits behind the others, which wait for their gates.
    await using home = new Home({ PARALLEL_CLAUDE_CONCURRENCY: "12" });
    await using one = await OwnSshd.start(home, "box1");
    await using _two = await OwnSshd.start(home, "box2");
    const gates = Array.from({ length: 12 }, (_, index) => new Gate(home, `gate${index}`));
    const tasks = gates.map((gate, index) => gate.task(`answer ${index}`));
    const batchId = await detached(home, ...on(home, "box1", "box2"), "--retries", "3", ...tasks);
    // A kill between the start of a session and its prompt ends that attempt, which has spent nothing.
    const faults = [
      () => one.connections().forEach(killIfThere),
      // The next one may be on it, and has no prompt yet.
      async () => {
        await one.cut();
        await one.up();
      },
      () => killKnown(home.processes().find(({ command }) => command.includes("__runner"))?.pid),
      () => one.connections().forEach(killIfThere),
      () => killKnown(one.keeper),
    ];
    for (const [index, gate] of gates.entries()) {
      await gate.begun();
      await faults[index]?.();
      gate.open();
    }
    const { results } = await ended(home, batchId, "--limit", "20");
    expect(results.map(({ result }) => result)).toEqual(gates.map((_, index) => `answer ${index}`));
  },
);

withSshd(
  "a runner that was stopped for longer than its lease finds the results of what went on without it",
  async () => {
    await using home = new Home({ PARALLEL_CLAUDE_HOST_LEASE_SECONDS: "2" });
    await using box = await OwnSshd.start(home, "box1");
    const gate = new Gate(home);
    const batchId = await detached(home, ...on(home, "box1"), "--retries", "0", gate.task("in the meantime"));
    await gate.begun();
    const runner = home.processes().find(({ command }) => command.includes("__runner"))?.pid ?? 1;
    const keeper = home.processes().find(({ command }) => command.includes("__keeper"))?.pid ?? 1;
    for (const pid of [keeper, runner]) process.kill(pid, "SIGSTOP");
    gate.open();
    // Its input ends with the lease, so it exits by itself.
    await eventually(
      () => !home.processes().some(({ command }) => command.includes("--session-id")),
      () => "the session does not exit",
    );
    expect(box.transcripts().join("")).toContain("in the meantime");
    for (const pid of [keeper, runner]) process.kill(pid, "SIGCONT");
    const summary = await ended(home, batchId);
    expect(summary.results[0]).toMatchObject({ status: "success", result: "in the meantime" });
    expect(starts(home)).toBe(1);
  },
);

testNeeding(
  "sshd",
  "Linux",
  "a disk to mount",
)("nothing starts on a machine whose disk is full, and the batch says so until there is room", async () => {
  await using home = new Home();
  await using box = await OwnSshd.start(home, "box1");
  using _disk = mounted(box.state, "50m");
  const batchId = await detached(home, ...on(home, "box1"), "[[answer text=ok]]");
  const shown = () =>
    Bun.spawnSync([...program(), "show", batchId], {
      env: home.environment,
      cwd: home.work,
    }).stdout.toString();
  await eventually(() => /box1: .*disk/.test(shown()), shown);
  expect(starts(home)).toBe(0);
  Bun.spawnSync(["mount", "-o", "remount,size=400m", box.state]);
  expect(statuses(await ended(home, batchId))).toEqual(["success"]);
});

/** A disk of its own at a path, until disposed of. */
function mounted(path: string, size: string): Disposable {
  mkdirSync(path, { recursive: true });
  Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `size=${size}`, "tmpfs", path]);
  // Its keeper still works in it.
  return { [Symbol.dispose]: () => void Bun.spawnSync(["umount", "-l", path]) };
}

/** Runs git in the working directory of a home. */
function git(home: Home, ...words: string[]): string {
  const identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"];
  const { success, stdout, stderr } = Bun.spawnSync(["git", ...identity, ...words], { cwd: home.work });
  if (!success) throw new Error(stderr.toString());
  return stdout.toString();
}

const withGit = testNeeding("sshd", "git", "Linux");

withGit(
  "a working tree goes to the machine as it is, and what a session changes comes back as a branch",
  async () => {
    await using home = new Home();
    await using box = await OwnSshd.start(home, "box1");
    git(home, "init", "--quiet");
    writeFileSync(join(home.work, "committed.txt"), "one\n");
    writeFileSync(join(home.work, ".gitignore"), "ignored.txt\n");
    git(home, "add", "--all");
    git(home, "commit", "--quiet", "-m", "first");
    writeFileSync(join(home.work, "committed.txt"), "one, changed\n");
    writeFileSync(join(home.work, "untracked.txt"), "two\n");
    writeFileSync(join(home.work, "ignored.txt"), "secret\n");
    const before = git(home, "status", "--porcelain");
    const task = '[[write-file path=new.txt text="made there"]] [[cwd]]';
    const { code, out, err } = await run(home, ["run", task, "--hosts", "box1", "--json"]);
    expect({ code, err }).toMatchObject({ code: 0 });
    const { results } = JSON.parse(out) as { results: { result: string; remarks?: string[] }[] };
    expect(results[0]?.result).toContain("machine-box1/state/far/");
    const remark = results[0]?.remarks?.join("\n") ?? "";
    const [, branch = ""] = /Its changes to 1 file are in the branch (\S+)\./.exec(remark) ?? [];
    expect(git(home, "show", `${branch}:new.txt`)).toBe("made there");
    // Nothing else has changed here.
    expect(git(home, "status", "--porcelain")).toBe(before);
    expect(git(home, "for-each-ref", "refs/parallel-claude-code-mcp")).toBe("");
    // Of the tree, only the repository stays there, until somebody prunes it.
    const repositories = join(box.state, "far", "repositories");
    expect(readdirSync(repositories)).toHaveLength(1);
    const trees = () => readdirSync(join(box.state, "far")).filter((name) => /^[a-z2-9]{8}$/.test(name));
    await eventually(
      () => trees().length === 0,
      () => `left: ${trees()}`,
    );
    await run(home, ["prune", "--host", "box1"]);
    expect(existsSync(repositories)).toBe(false);
    // What has been pushed to a server comes from there.
    const remote = home.file("remote.git");
    git(home, "clone", "--quiet", "--bare", home.work, remote);
    git(home, "remote", "add", "origin", `ssh://box1${remote}`);
    git(home, "update-ref", "refs/remotes/origin/main", "HEAD");
    const again = await run(home, ["run", task, "--hosts", "box1", "--json"]);
    expect(again).toMatchObject({ code: 0, out: expect.not.stringContaining("sent from here") });
    const [repository = ""] = readdirSync(repositories);
    const there = ["for-each-ref", "--format=%(objectname)", "refs/heads/"];
    const branches = git(home, "-C", join(repositories, repository), ...there);
    expect(branches).toContain(git(home, "rev-parse", "HEAD"));
  },
);

withGit("a session works on what was there when its batch began, ignored files not among it", async () => {
  await using home = new Home();
  await using box = await OwnSshd.start(home, "box1");
  git(home, "init", "--quiet");
  mkdirSync(join(home.work, "part"));
  writeFileSync(join(home.work, "part", "a.txt"), "a\n");
  writeFileSync(join(home.work, ".gitignore"), "ignored.txt\n");
  writeFileSync(join(home.work, "ignored.txt"), "secret\n");
  git(home, "add", "--all");
  git(home, "commit", "--quiet", "-m", "first");
  const gate = new Gate(home);
  const words = ["--hosts", "box1", "--cd", join(home.work, "part")];
  const batchId = await detached(home, ...words, gate.task());
  await gate.begun();
  const folder = join(box.state, "far", batchId, "trees");
  const [tree = ""] = readdirSync(folder).filter((name) => !name.endsWith(".commit"));
  expect(readdirSync(join(folder, tree)).toSorted()).toEqual([".git", ".gitignore", "part"]);
  for (const pid of box.connections()) killIfThere(pid);
  killKnown(home.processes().find(({ command }) => command.includes("__runner"))?.pid);
  gate.open();
  expect(statuses(await ended(home, batchId))).toEqual(["success"]);
  await eventually(
    () => !existsSync(folder),
    () => "the working tree is left",
  );
});

withGit(
  "a directory in no repository goes there as well, and one in a repository without a commit is refused",
  async () => {
    await using home = new Home();
    await using _box = await OwnSshd.start(home, "box1");
    writeFileSync(join(home.work, "one.txt"), "one\n");
    const task = "[[write-file path=new.txt text=made]] [[recite path=one.txt]]";
    const asked = () => run(home, ["run", task, "--hosts", "box1", "--json"]);
    const { code, out, err } = await asked();
    expect({ code, err }).toMatchObject({ code: 0 });
    const { results } = JSON.parse(out) as { results: { result: string; remarks?: string[] }[] };
    expect(results[0]?.result).toBe("one\n");
    const [, patch = ""] = /apply (\S+?)`/.exec(results[0]?.remarks?.join("\n") ?? "") ?? [];
    git(home, "apply", patch);
    expect(readFileSync(join(home.work, "new.txt"), "utf8")).toBe("made");
    git(home, "init", "--quiet");
    expect(await asked()).toMatchObject({ code: 2, err: expect.stringContaining("without a commit") });
  },
);

withSshd("a task of a machine that is away keeps no task of another one waiting", async () => {
  await using home = new Home();
  await using away = await OwnSshd.start(home, "box1");
  await using _there = await OwnSshd.start(home, "box2");
  await away.cut();
  const rows = ["box1", "box2"].map((name) => `"[[answer text=${name}]]",${name}:${home.work}`);
  writeFileSync(home.file("tasks.csv"), `task,workingDirectory\n${rows.join("\n")}\n`);
  const hosts = ["--hosts", "box1", "--hosts", "box2"];
  const batchId = await detached(home, ...hosts, "-f", home.file("tasks.csv"));
  const shown = () =>
    Bun.spawnSync([...program(), "results", batchId, "--json"], {
      env: home.environment,
      cwd: home.work,
    }).stdout.toString();
  await eventually(() => shown().includes('"box2"'), shown);
  await away.up();
  expect(statuses(await ended(home, batchId))).toEqual(["success", "success"]);
});

// One machine for all that only run something there.
let ready: Promise<{ home: Home; box: OwnSshd }> | undefined;

async function withMachine(): Promise<Home> {
  ready ??= (async () => {
    const home = new Home({ PARALLEL_CLAUDE_ALLOW_CHECK_COMMANDS: "true" });
    return { home, box: await OwnSshd.start(home, "box1") };
  })();
  return (await ready).home;
}

afterAll(async () => {
  const made = await ready;
  await made?.box[Symbol.asyncDispose]();
  await made?.home[Symbol.asyncDispose]();
});

withSshd("what a session needs of the batch's own folder goes there with it", async () => {
  const home = await withMachine();
  const servers = JSON.stringify({ mcpServers: { none: { command: "true", env: { SECRET: "s3cret" } } } });
  const batchId = await detached(home, ...on(home, "box1"), "--mcp-config", servers, "[[answer text=ok]]");
  expect(statuses(await ended(home, batchId))).toEqual(["success"]);
  const words = readFileSync(home.startsLog, "utf8");
  expect(words).toContain("machine-box1/state/far/");
  expect(words).not.toContain("s3cret");
});

withSshd("variables of a task go to the machine, and nothing else of the environment here", async () => {
  const home = await withMachine();
  home.set({ ONLY_HERE: "secret" });
  const task = (name: string) => `[[env name=${name}]]`;
  const words = ["--env", '{"FOR_THERE":"1"}', "--json", task("FOR_THERE"), task("ONLY_HERE")];
  const { out } = await run(home, ["run", ...on(home, "box1"), ...words]);
  const { results } = JSON.parse(out) as Summary;
  expect(results.map(({ result }) => result)).toEqual(["1", expect.not.stringContaining("secret")]);
});

withSshd("a command that checks an answer runs on the machine of its session", async () => {
  const home = await withMachine();
  const checked = ["--expect-command", "sh -c 'echo $PARALLEL_CLAUDE_STATE_DIRECTORY >&2; exit 3'"];
  const { code, err } = await run(home, [
    "run",
    ...on(home, "box1"),
    ...checked,
    "--retries",
    "0",
    "[[answer]]",
  ]);
  expect(code).toBe(1);
  expect(err).toContain("3");
});

withSshd("an answer that does not pass a check is corrected in its conversation, where that is", async () => {
  const home = await withMachine();
  const task = '[[cost usd=0.5]][[answer text="maybe"]][[again text="DONE"]]';
  const words = ["--expect-pattern", "^DONE$", "--json", task];
  const { out, err } = await run(home, ["run", ...on(home, "box1"), ...words]);
  if (out === "") throw new Error(err);
  const { results, totalCostUsd } = JSON.parse(out) as Summary & { totalCostUsd: number };
  expect(results).toMatchObject([{ status: "success", result: "DONE", attempts: 2, host: "box1" }]);
  expect(readFileSync(home.startsLog, "utf8")).toContain("--resume=");
  // A process that continues a conversation says what all of it has cost.
  expect(totalCostUsd).toBeGreaterThan(0.5);
  expect(totalCostUsd).toBeLessThan(0.75);
});

withGit("a copy of a directory has no conversation to continue, which its retry says", async () => {
  const home = await withMachine();
  git(home, "init", "--quiet");
  git(home, "commit", "--quiet", "--allow-empty", "-m", "first");
  writeFileSync(join(home.work, "one.txt"), "one\n");
  const task = '[[answer text="some work"]][[error]]';
  const words = ["--hosts", "box1", "--retries", "1", "--json", task];
  const { out, err } = await run(home, ["run", ...words]);
  if (out === "") throw new Error(err);
  expect(out).toContain(
    "The conversation of attempt 1 is on box1. It is continued only in a directory there that the task names as `box1:/path`, so the task began again from its start.",
  );
});

withSshd("a summary reads the answers of the others on another machine", async () => {
  const home = await withMachine();
  const tasks = ["[[answer text=from-the-first]]", "[[answer text=from-the-second]]"];
  const words = ["--summarize", "[[recite]]", "--json", ...tasks];
  const { out, err } = await run(home, ["run", ...on(home, "box1"), ...words]);
  if (out === "") throw new Error(err);
  expect(JSON.parse(out)).toMatchObject({ summary: "from-the-first\nfrom-the-second" });
});

withSshd("private files go to a machine for each task, also after the first one has ended", async () => {
  const home = await withMachine();
  const servers = JSON.stringify({ mcpServers: { none: { command: "true" } } });
  const words = ["--concurrency", "1", "--mcp-config", servers, "[[answer text=one]]", "[[answer text=two]]"];
  const batchId = await detached(home, ...on(home, "box1"), ...words);
  expect(statuses(await ended(home, batchId))).toEqual(["success", "success"]);
});

withSshd("an answer that a later prompt names goes to its machine", async () => {
  const home = await withMachine();
  const rows = [
    'first,"[[answer text=from-the-first]]",',
    'second,"[[recite path={{results.first}}]]",first',
  ];
  writeFileSync(home.file("tasks.csv"), `key,task,after\n${rows.join("\n")}\n`);
  const words = [...on(home, "box1"), "-f", home.file("tasks.csv"), "--json"];
  const { out, err } = await run(home, ["run", ...words]);
  if (out === "") throw new Error(err);
  const { results } = JSON.parse(out) as Summary;
  expect(results.map(({ result }) => result)).toEqual(["from-the-first", "from-the-first"]);
});
