// What the operator writes about a fleet, and the files that it names.
import { expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { isProblem, readFleet, readPolicy, redisPlaceOf } from "../../src/fleet/settings.ts";
import { type FleetSettings, fleetSettings, fleets } from "../../src/model/fleet.ts";
import { testNeeding } from "../facilities.ts";

const key = "0123456789".repeat(5);

class Files implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "pccm-fleet-"));

  file(name: string, text: string, mode = 0o600): string {
    const path = join(this.path, name);
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  }

  settings(more: Partial<FleetSettings> = {}): FleetSettings {
    return fleetSettings.parse({
      url: "rediss://worker@redis.example.com:6380",
      keyFile: this.file("key", `${key}\n`),
      blobs: "/srv/blobs",
      ...more,
    });
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

function problemsOf(settings: FleetSettings): string[] {
  const read = readFleet("team", settings);
  return read.ok ? [] : read.problems.map(({ setting, says }) => `${setting}: ${says}`);
}

test("secrets come from their files, without the line feed", () => {
  using files = new Files();
  const ca = files.file("ca.pem", "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n", 0o644);
  const settings = files.settings({ passwordFile: files.file("password", "long secret\n"), ca });
  const read = readFleet("team", settings);
  if (!read.ok) throw new Error("It has problems");
  expect(read.fleet).toMatchObject({
    name: "team",
    key,
    password: "long secret",
    blobs: resolve(homedir(), "/srv/blobs"),
  });
  expect(redisPlaceOf(read.fleet)).toEqual({
    url: "rediss://worker@redis.example.com:6380",
    password: "long secret",
    ca: expect.stringContaining("BEGIN CERTIFICATE"),
  });
});

test("every file that is wrong is reported at once, and no secret is in the words", () => {
  using files = new Files();
  const settings = files.settings({
    keyFile: files.file("short-key", "hidden"),
    passwordFile: files.file("password", "hidden one\nhidden two\n"),
    ca: files.file("ca.pem", "hidden"),
    s3: { credentialsFile: files.file("credentials", "[default]\naws_access_key_id = hidden\n") },
  });
  const problems = problemsOf(settings);
  expect(problems.map((problem) => problem.split(":", 1)[0])).toEqual([
    "passwordFile",
    "keyFile",
    "ca",
    "s3.credentialsFile",
  ]);
  expect(problems.join("\n")).not.toContain("hidden");
});

test("a file that is missing, empty or a directory says so", () => {
  using files = new Files();
  const missing = join(files.path, "missing");
  expect(problemsOf(files.settings({ keyFile: missing }))).toEqual([`keyFile: ${missing} does not exist.`]);
  expect(problemsOf(files.settings({ keyFile: files.path }))).toEqual([
    `keyFile: ${files.path} is not a file.`,
  ]);
  const empty = files.file("empty", "\n");
  expect(problemsOf(files.settings({ passwordFile: empty }))).toEqual([`passwordFile: ${empty} is empty.`]);
});

testNeeding("modes of files")("a key that others can read is refused", () => {
  using files = new Files();
  const keyFile = files.file("open", key, 0o640);
  expect(problemsOf(files.settings({ keyFile }))).toEqual([`keyFile: Others can read ${keyFile}.`]);
});

test("credentials for S3 are read as from ~/.aws/credentials", () => {
  using files = new Files();
  const text =
    "[default]\naws_access_key_id=AKIA\naws_secret_access_key = s3cret\n[other]\naws_access_key_id=B\n";
  const s3 = { endpoint: "https://s3.example.com", credentialsFile: files.file("credentials", text) };
  const read = readFleet("team", files.settings({ blobs: "s3://bucket/prefix", s3 }));
  expect(read).toMatchObject({
    ok: true,
    fleet: {
      blobs: "s3://bucket/prefix",
      s3: { endpoint: "https://s3.example.com", accessKeyId: "AKIA", secretAccessKey: "s3cret" },
    },
  });
});

test.each([
  "redis://localhost",
  "rediss://worker@redis.example.com:6379/2",
  "redis://127.0.0.1:6379/",
  "rediss://[::1]:6379",
])("%s is an address", (url) => {
  expect(fleetSettings.shape.url.safeParse(url).success).toBe(true);
});

test.each([
  "redis://worker:secret@redis.example.com",
  "https://redis.example.com",
  "redis.example.com:6379",
  "redis://",
  "rediss://redis.example.com/one",
  "rediss://redis.example.com?tls=no",
])("%s is none", (url) => {
  expect(fleetSettings.shape.url.safeParse(url).success).toBe(false);
});

test.each([
  ["/srv/blobs", true],
  ["~/blobs", true],
  ["s3://bucket", true],
  ["s3://bucket/a/b/", true],
  ["s3://", false],
  ["https://bucket.s3.example.com", false],
  ["s3://Bucket/x", false],
])("%s is a place for blobs: %p", (blobs, isOne) => {
  expect(fleetSettings.shape.blobs.safeParse(blobs).success).toBe(isOne);
});

test("the name of a fleet is short and plain, because it becomes part of others", () => {
  using files = new Files();
  const settings = files.settings();
  expect(fleets.safeParse({ "team-1": settings }).success).toBe(true);
  for (const name of ["", "a b", "a:b", "-a", "a".repeat(41)])
    expect(fleets.safeParse({ [name]: settings }).success).toBe(false);
});

test("without a policy, no place is allowed, and no option that runs commands", () => {
  expect(readPolicy({})).toEqual({
    repositories: [],
    directories: [],
    permissionModes: ["default", "acceptEdits", "plan", "dontAsk"],
    options: [],
  });
});

test("a policy may be a file, whose faults are reported with their names", () => {
  using files = new Files();
  const good = files.file("good.json", '{"repositories": ["https://github.com/acme/*"], "maxBudgetUsd": 2}');
  expect(readPolicy({ policy: good })).toMatchObject({ maxBudgetUsd: 2 });
  const wrong = readPolicy({ policy: files.file("wrong.json", '{"tool": ["Read"], "maxBudgetUsd": "2"}') });
  expect(isProblem(wrong) && wrong.says).toMatch(/maxBudgetUsd.*tool|tool.*maxBudgetUsd/s);
  for (const text of ["[]x", "7", "null"])
    expect(isProblem(readPolicy({ policy: files.file("broken.json", text) }))).toBe(true);
});
