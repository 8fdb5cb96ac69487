// docs/fleet.md, followed: its certificates, password, key, redis.conf and config.json, with a real server on loopback.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { flagsOfCommand } from "../src/doors/cli/input/command-flags.ts";
import { parseFlags } from "../src/doors/cli/input/flags.ts";
import { loadCommand } from "../src/doors/cli/load-command.ts";
import { product } from "../src/model/product.ts";
import { describeNeeding, testNeeding } from "./facilities.ts";
import { asked } from "./fake-notes.ts";
import { commandsUnder, DocumentedFleet, fileOf } from "./fleet/documented-fleet.ts";
import { freePort } from "./free-port.ts";
import { configurationFolder, Home, program, run } from "./harness.ts";
import { pathWithCommands, putProgram } from "./own-commands.ts";

/** Runs lines as a shell does, in a home where the program is on the PATH. */
function terminalOf(home: Home) {
  putProgram(home);
  const env = { ...home.environment, PATH: pathWithCommands(home) };
  return (text: string) =>
    Bun.spawn(["sh", "-ec", text], { cwd: home.work, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
}

describeNeeding(
  "redis",
  "openssl",
  "sh",
  "modes of files",
)("the fleet of the document", () => {
  let fleet: DocumentedFleet;
  beforeAll(async () => {
    fleet = await DocumentedFleet.start();
  });
  afterAll(async () => {
    await fleet[Symbol.asyncDispose]();
  });

  test("has secrets that others cannot read", () => {
    for (const name of ["fleet.key", "password", "ca.key", "server.key"])
      expect({ name, mode: statSync(join(fleet.folder, name)).mode & 0o077 }).toEqual({ name, mode: 0 });
    expect(readFileSync(join(fleet.folder, "redis.conf"), "utf8")).not.toContain(fleet.password);
  });

  test("passes every check of doctor but that for workers, which are not started yet", async () => {
    const { code, out } = await run(fleet.home, ["doctor", "--fleet", "team", "--json"]);
    const { findings }: { findings: { name: string; ok: boolean; detail: string }[] } = JSON.parse(out);
    const ofFleet = findings.filter(({ name }) => name.startsWith("team: "));
    expect(ofFleet.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(["team: workers"]);
    expect(ofFleet.map(({ name }) => name.slice("team: ".length))).toEqual([
      "key",
      "server",
      "TLS",
      "data",
      "memory",
      "rights",
      "workers",
      "versions",
      "clocks",
      "blobs",
      "policy",
    ]);
    expect(code).toBe(1);
    expect(out).not.toContain(fleet.password);
    expect(out).not.toContain(readFileSync(join(fleet.folder, "fleet.key"), "utf8").trim());
  });

  const dangerous: string[][] = [
    ["FLUSHALL"],
    ["FLUSHDB"],
    ["CONFIG", "SET", "dir", "/tmp"],
    ["CONFIG", "GET", "requirepass"],
    ["SHUTDOWN"],
    ["ACL", "SETUSER", "fleet", "allkeys"],
    ["ACL", "LIST"],
    ["KEYS", "*"],
    ["MONITOR"],
    ["REPLICAOF", "127.0.0.1", "1"],
    ["SET", "other", "1"],
    ["GET", "other"],
    ["EVAL", "return redis.call('FLUSHALL')", "0"],
    ["EVAL", "return redis.call('SET', 'other', '1')", "0"],
    ["PUBLISH", "news", "x"],
  ];
  test.each(dangerous.map((words) => words.join(" ")))("its user may not %s", async (line) => {
    const [command = "", ...rest] = dangerous.find((words) => words.join(" ") === line) ?? [];
    const redis = fleet.connection();
    try {
      await expect(redis.call(command, ...rest)).rejects.toThrow(/NOPERM|can't (?:run|access)/);
    } finally {
      redis.disconnect();
    }
  });

  const strangers: [string, () => Record<string, unknown>, RegExp][] = [
    ["with another password", () => ({ password: "wrong" }), /WRONGPASS/],
    ["without a user", () => ({ username: undefined, password: undefined }), /NOAUTH/],
    ["without TLS", () => ({ tls: undefined }), /closed|ECONNRESET|Connection/],
    ["that does not know the authority", () => ({ tls: {} }), /self.signed|unable to|certificate/i],
  ];
  test.each(strangers)("lets nobody in %s", async (_, changed, why) => {
    const redis = fleet.connection(changed());
    let first: unknown;
    redis.on("error", (error) => {
      first ??= error;
    });
    const said = await redis.ping().then(String, (error: unknown) => String(first ?? error));
    redis.disconnect();
    expect(said).toMatch(why);
  });

  test("keeps what it was given when it is killed", async () => {
    const redis = fleet.connection();
    await redis.set("bull:kept", "1");
    // Every second, its data is safe on disk.
    const isWritten = async () => /aof_pending_bio_fsync:0/.test(await redis.info("persistence"));
    while (!(await isWritten())) await Bun.sleep(20);
    redis.disconnect();
    await fleet.killServer();
    await fleet.startServer();
    const again = fleet.connection();
    expect(await again.get("bull:kept")).toBe("1");
    again.disconnect();
  });
});

describeNeeding(
  "redis",
  "openssl",
  "sh",
  "modes of files",
)("the first try of the document", () => {
  test("runs a task on one machine", async () => {
    await using home = new Home();
    const port = String(freePort());
    const here = (text: string) => text.replaceAll("6390", port);
    const typed = terminalOf(home);
    expect(await typed(fileOf("try.sh")).exited).toBe(0);
    const configuration = join(home.path, configurationFolder, product.name, "config.json");
    await Bun.write(configuration, here(fileOf("try.json")));
    const commands = commandsUnder("Try it on one machine").flatMap(({ text }) => text.split("\n"));
    const [server = "", worker = "", batch = ""] = commands.slice(-3).map(here);
    await using _server = typed(`exec ${server}`);
    await using _worker = typed(`exec ${worker}`);
    expect(await typed(batch).stdout.text()).toBe("Answer to: What is 2 + 2?\n");
  }, 120_000);
});

describeNeeding(
  "redis",
  "openssl",
  "sh",
  "modes of files",
  "git",
)("a batch of the document", () => {
  test("runs in a repository, on a worker that is started as the document says, and fleet status shows it", async () => {
    await using fleet = await DocumentedFleet.start();
    const { home } = fleet;
    const remote = home.file("shop.git");
    fleet.configure({ policy: { ...fleet.policy, repositories: [remote] } });
    const git = "git -c user.name=me -c user.email=me@localhost -c init.defaultBranch=main";
    const typed = terminalOf(home);
    const made = typed(
      `${git} init -q --bare ${remote} && ${git} init -q && mkdir src && echo 1 > src/main.ts && ${git} add -A && ${git} commit -qm first && ${git} remote add origin ${remote} && ${git} push -q origin HEAD && echo 2 > src/cart.ts`,
    );
    expect(await made.exited).toBe(0);
    const [startWorker = ""] = commandsUnder("Start workers").map(({ text }) => text);
    const worker = typed(`exec ${startWorker}`);
    const [runBatch = "", status = ""] = commandsUnder("Run a batch").flatMap(({ text }) => text.split("\n"));
    const batch = typed(runBatch);
    const [err, code] = await Promise.all([batch.stderr.text(), batch.exited]);
    expect({ code, err: code === 0 ? "" : err }).toEqual({ code: 0, err: "" });
    const { out } = await run(home, ["results", "latest"]);
    expect(out).toContain("Answer to: Review src/main.ts for bugs");
    expect(out).toContain("Answer to: Review src/cart.ts for bugs");
    const statusNow = async () => {
      const seen = typed(status);
      const shown = await seen.stdout.text();
      expect(await seen.exited).toBe(0);
      return shown;
    };
    // The worker says each second what it runs.
    let shown = await statusNow();
    for (let looks = 1; !/ idle /.test(shown) && looks < 20; looks++) shown = await statusNow();
    expect(shown).toMatch(/^Fleet team: 0 tasks run, 0 waiting, 2 ended in the last minute\.$/m);
    expect(shown).toMatch(/^\S+ +idle +0\/\d+ /m);
    const checked = typed(`${product.name} doctor --fleet team --json`);
    const { findings }: { findings: { name: string; ok: boolean }[] } = JSON.parse(
      await checked.stdout.text(),
    );
    expect(findings.filter(({ name, ok }) => !ok && name.startsWith("team"))).toEqual([]);
    // It hands back nothing, for nothing runs.
    worker.kill("SIGTERM");
    expect(await worker.exited).toBe(0);
  }, 120_000);

  test("that asks for more than the policy of the document is refused, and costs nothing", async () => {
    await using fleet = await DocumentedFleet.start();
    const { home } = fleet;
    const worker = Bun.spawn([...program(), "worker", "--fleet", "team"], {
      cwd: home.work,
      env: home.environment,
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
    });
    const asks: [flags: string[], words: string][] = [
      [[], "The task must name its own in `tools`."],
      [["--tools", "Read,Bash"], "The task has Bash in `tools`."],
      [["--tools", "Read", "--setting-sources", "user"], "at most 5 USD"],
      [["--tools", "Read", "--max-budget-usd", "1"], "`settingSources`"],
    ];
    for (const [flags, words] of asks) {
      const { code, err, out } = await run(home, ["run", "x", "--fleet", "team", ...flags]);
      expect({ flags, code, said: `${out}${err}`.includes(words) }).toEqual({ flags, code: 1, said: true });
    }
    worker.kill("SIGTERM");
    expect(await worker.exited).toBe(0);
    expect(asked(home)).toEqual([]);
  }, 120_000);
});

test("the commands of the document are taken by the parser", async () => {
  const lines = ["Start workers", "Run a batch"]
    .flatMap(commandsUnder)
    .flatMap(({ text }) => text.split("\n"))
    .filter((line) => line.startsWith(`${product.name} `));
  expect(lines.length).toBe(4);
  for (const line of lines) {
    const [name = "", ...argv] = [...line.matchAll(/"([^"]*)"|(\S+)/g)]
      .map(([, quoted, plain]) => quoted ?? plain ?? "")
      .slice(1);
    const load = Object.entries(loadCommand).find(([one]) => one === name)?.[1];
    if (!load) throw new Error(`There is no command ${name}`);
    expect(parseFlags(flagsOfCommand(await load()), argv)).toMatchObject({ ok: true });
  }
});

testNeeding("systemd-analyze")("the unit of systemd is one", async () => {
  await using home = new Home();
  const own = home.file("program");
  writeFileSync(own, "#!/bin/sh\n");
  chmodSync(own, 0o755);
  const unit = home.file("fleet-worker.service");
  const text = fileOf("fleet-worker.service");
  writeFileSync(unit, text.replace("/usr/local/bin/parallel-claude-code-mcp", own));
  const { exitCode, stderr } = Bun.spawnSync(["systemd-analyze", "verify", "--man=no", unit]);
  const about = stderr
    .toString()
    .split("\n")
    .filter((line) => line.includes("fleet-worker"));
  expect({ exitCode, about }).toEqual({ exitCode: 0, about: [] });
  const drain = Number(/--drain-seconds (\d+)/.exec(text)?.[1]);
  expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(text)?.[1])).toBeGreaterThan(drain);
});
