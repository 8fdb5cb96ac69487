// docs/fleet.md, followed: its certificates, password, key, redis.conf and config.json, with a real server on loopback.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { flagsOfCommand } from "../src/doors/cli/input/command-flags.ts";
import { parseFlags } from "../src/doors/cli/input/flags.ts";
import { loadCommand } from "../src/doors/cli/load-command.ts";
import { product } from "../src/model/product.ts";
import { describeNeeding, testNeeding } from "./facilities.ts";
import { commandsUnder, DocumentedFleet, fileOf } from "./fleet/documented-fleet.ts";
import { Home, run } from "./harness.ts";

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
  const program = home.file("program");
  writeFileSync(program, "#!/bin/sh\n");
  chmodSync(program, 0o755);
  const unit = home.file("fleet-worker.service");
  const text = fileOf("fleet-worker.service");
  writeFileSync(unit, text.replace("/usr/local/bin/parallel-claude-code-mcp", program));
  const { exitCode, stderr } = Bun.spawnSync(["systemd-analyze", "verify", "--man=no", unit]);
  const about = stderr
    .toString()
    .split("\n")
    .filter((line) => line.includes("fleet-worker"));
  expect({ exitCode, about }).toEqual({ exitCode: 0, about: [] });
  const drain = Number(/--drain-seconds (\d+)/.exec(text)?.[1]);
  expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(text)?.[1])).toBeGreaterThan(drain);
});
