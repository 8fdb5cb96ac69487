// `doctor --fleet` says what is missing, in words, and what to do about it.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { product } from "../../src/model/product.ts";
import { describeNeeding } from "../facilities.ts";
import { freePort } from "../free-port.ts";
import { Home, run } from "../harness.ts";
import { DocumentedFleet } from "./documented-fleet.ts";

interface Finding {
  name: string;
  ok: boolean;
  detail: string;
  remedy?: string;
}

async function failed(home: Home, ...flags: string[]): Promise<Finding[]> {
  const { out, err } = await run(home, [
    "doctor",
    "--json",
    ...(flags.length > 0 ? flags : ["--fleet", "team"]),
  ]);
  if (out === "") throw new Error(err);
  const { findings }: { findings: Finding[] } = JSON.parse(out);
  return findings.filter(({ name, ok }) => !ok && name.includes(": ") && name !== "team: workers");
}

const beat = (more: Record<string, unknown> = {}) =>
  JSON.stringify({ name: "box", version: product.version, slots: 2, running: [], at: Date.now(), ...more });

describeNeeding(
  "redis",
  "openssl",
  "sh",
  "modes of files",
  "connections that are refused",
)("doctor", () => {
  let fleet: DocumentedFleet;
  beforeAll(async () => {
    fleet = await DocumentedFleet.start();
  });
  afterAll(async () => {
    await fleet[Symbol.asyncDispose]();
  });

  test("finds nothing but workers missing in the fleet of the document", async () => {
    expect(await failed(fleet.home)).toEqual([]);
  });

  test("without a name, checks all fleets", async () => {
    expect(await failed(fleet.home, "--fleet")).toEqual([]);
    const { out } = await run(fleet.home, ["doctor", "--fleet"]);
    expect(out).toMatch(/^ok +team: server +Redis 7\S* answers at rediss:\/\/fleet@127\.0\.0\.1:\d+\.$/m);
  });

  test("says that there is no such fleet, and which there are", async () => {
    const { code, err } = await run(fleet.home, ["doctor", "--fleet", "other"]);
    expect(code).toBe(2);
    expect(err).toMatch(/There is no fleet "other" in .*config\.json; there is team\./);
    await using home = new Home();
    expect((await run(home, ["doctor", "--fleet"])).err).toContain("No fleet is configured.");
    expect((await run(home, ["doctor"])).err).toBe("");
  });

  const broken: [what: string, settings: () => Record<string, unknown>, finding: string, words: RegExp][] = [
    [
      "another password",
      () => ({ passwordFile: secret("wrong", "not the password") }),
      "server",
      /refuses the user or the password/,
    ],
    ["no password", () => ({ passwordFile: undefined }), "server", /refuses the user or the password/],
    ["another user", () => ({ url: `rediss://other@127.0.0.1:${fleet.port}` }), "server", /refuses the user/],
    [
      "an address without TLS",
      () => ({ url: `redis://fleet@127.0.0.1:${fleet.port}` }),
      "server",
      /closed the connection; a port for TLS needs `rediss:\/\/`/,
    ],
    ["no authority", () => ({ ca: undefined }), "server", /authority that this machine does not know/],
    [
      "another authority",
      () => {
        const words =
          "req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=Other -keyout other.key -out other.crt";
        Bun.spawnSync(["openssl", ...words.split(" ")], { cwd: fleet.folder });
        return { ca: join(fleet.folder, "other.crt") };
      },
      "server",
      /authority that this machine does not know/,
    ],
    [
      "an address that the certificate does not have",
      () => ({ url: `rediss://fleet@localhost:${fleet.port}` }),
      "server",
      /has a certificate for another name/,
    ],
    [
      "a key that others can read",
      () => ({ keyFile: secret("open.key", "k".repeat(43), 0o644) }),
      "keyFile",
      /Others can read/,
    ],
    ["a short key", () => ({ keyFile: secret("short.key", "abc") }), "keyFile", /has 3 characters/],
    ["no directory for blobs", () => ({ blobs: "~/nowhere" }), "blobs", /the directory does not exist/],
    ["a bucket without credentials", () => ({ blobs: "s3://bucket/x" }), "blobs", /credentials are missing/],
    [
      "a policy that is none",
      () => ({ policy: secret("policy.json", "[") }),
      "policy",
      /is not a JSON object/,
    ],
  ];

  function secret(name: string, text: string, mode = 0o600): string {
    const path = join(fleet.folder, name);
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  }

  test.each(broken)("says what is wrong with %s", async (_, settings, finding, words) => {
    fleet.configure(settings());
    try {
      const [only, ...rest] = await failed(fleet.home);
      expect(rest).toEqual([]);
      expect(only).toMatchObject({ name: `team: ${finding}`, remedy: expect.stringMatching(/\.$/) });
      expect(only?.detail).toMatch(words);
    } finally {
      fleet.configure({});
    }
  });

  test("says that nobody listens there, within seconds", async () => {
    fleet.configure({ url: `rediss://fleet@127.0.0.1:${freePort()}` });
    const [only] = await failed(fleet.home);
    fleet.configure({});
    expect(only).toMatchObject({
      name: "team: server",
      detail: expect.stringContaining("nothing listens there"),
    });
  });

  test("lists workers: those that live, those that are silent, other versions, and clocks that are ahead", async () => {
    const redis = fleet.connection();
    const key = "led:workers:fleet1-default";
    await redis.hset(key, {
      one: beat({ name: "one" }),
      two: beat({ name: "two", version: "0.0.1" }),
      three: beat({ name: "three", at: Date.now() - 600_000 }),
      four: beat({ name: "four", at: Date.now() + 600_000 }),
      five: "no JSON",
      six: "{}",
    });
    const { out } = await run(fleet.home, ["doctor", "--fleet", "team", "--json"]);
    await redis.del(key);
    redis.disconnect();
    const { findings }: { findings: Finding[] } = JSON.parse(out);
    const found = (name: string) => findings.find((one) => one.name === `team: ${name}`);
    expect(found("workers")).toMatchObject({ ok: true });
    expect(found("workers")?.detail).toMatch(
      /^3 workers are there: four, one, two\. Silent: three for 10 min/,
    );
    expect(found("versions")).toMatchObject({ ok: false });
    expect(found("versions")?.detail).toContain("two has 0.0.1");
    expect(found("clocks")).toMatchObject({ ok: false });
    expect(found("clocks")?.detail).toMatch(
      /^The clock of four is (?:10 min|9 min 5\d s) ahead of the server's\.$/,
    );
  });
});

describe("doctor, with another redis.conf,", () => {
  const changes: [what: string, from: RegExp, to: string, finding: string, words: RegExp][] = [
    [
      "appendonly no",
      /^appendonly yes$/m,
      "appendonly no",
      "data",
      /loses tasks and results when it is killed/,
    ],
    [
      "maxmemory-policy allkeys-lru",
      /noeviction/,
      "allkeys-lru",
      "memory",
      /throws tasks away \(`maxmemory-policy allkeys-lru`\)/,
    ],
    [
      "a user without the ledger",
      / ~led:\*/,
      "",
      "rights",
      /^fleet may not do what a fleet needs: run scripts on the keys `led:\*`\.$/,
    ],
    [
      "a user without scripts",
      /-@dangerous/,
      "-@dangerous -@scripting",
      "rights",
      /: run scripts on the keys `bull:\*`, run scripts on the keys `led:\*`\.$/,
    ],
  ];
  for (const [what, from, to, finding, words] of changes)
    describeNeeding(
      "redis",
      "openssl",
      "sh",
      "modes of files",
    )(what, () => {
      test("says so", async () => {
        await using fleet = await DocumentedFleet.start((conf) => conf.replace(from, to));
        const found = await failed(fleet.home);
        expect(found.map(({ name }) => name)).toEqual([`team: ${finding}`]);
        expect(found[0]?.detail).toMatch(words);
      });
    });

  describeNeeding(
    "redis",
    "openssl",
    "sh",
    "modes of files",
  )("a user who may do everything", () => {
    test("is reported, and does not fail on loopback", async () => {
      await using fleet = await DocumentedFleet.start((conf) =>
        conf.replace(/^user fleet on (\S+) .*$/m, "user fleet on $1 ~* &* +@all"),
      );
      const { out } = await run(fleet.home, ["doctor", "--fleet", "team", "--json"]);
      const { findings }: { findings: Finding[] } = JSON.parse(out);
      expect(findings.find(({ name }) => name === "team: rights")).toMatchObject({
        ok: true,
        detail: expect.stringContaining("may do everything"),
        remedy: expect.stringContaining("docs/fleet.md"),
      });
    });
  });
});

describeNeeding(
  "redis",
  "openssl",
  "sh",
  "modes of files",
)("a check", () => {
  test("changes nothing that lasts", async () => {
    await using fleet = await DocumentedFleet.start();
    await run(fleet.home, ["doctor", "--fleet", "team"]);
    const redis = fleet.connection();
    const keys = async () => (await redis.scan("0", "COUNT", 1_000))[1];
    // What it tries with is gone after a second.
    while ((await keys()).length > 0) await Bun.sleep(20);
    redis.disconnect();
    expect(readdirSync(fleet.home.file("blobs"), { recursive: true })).toEqual(["checks"]);
  });
});
