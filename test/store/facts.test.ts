// Small things that are remembered: a login that worked, the version of a `claude`, the token of the HTTP door.
import { describe, expect, test } from "bun:test";
import { chmodSync, statSync, writeFileSync } from "node:fs";
import { keepVersion, keptVersion } from "../../src/store/claude-versions.ts";
import { StoreProblem } from "../../src/store/database.ts";
import { httpToken } from "../../src/store/http-token.ts";
import { layoutOf } from "../../src/store/layout.ts";
import { LoginProofs } from "../../src/store/login-proofs.ts";
import { testNeeding } from "../facilities.ts";
import { Home } from "../harness.ts";

test("a reply proves the login of its account for less than five minutes, by a clock that was set back too", async () => {
  await using home = new Home();
  using store = home.store();
  const proofs = new LoginProofs(store.database, "a");
  const at = 1_000_000_000;
  expect(proofs.isProven(at)).toBe(false);
  proofs.keep(1);
  proofs.keep(at);
  new LoginProofs(store.database, "b").lose();
  const proven = (now: number) => proofs.isProven(now);
  expect([at, at + 299_999, at + 300_000, at - 299_999, at - 300_000].map(proven)).toEqual([
    true,
    true,
    false,
    true,
    false,
  ]);
  expect(new LoginProofs(store.database, "b").isProven(at)).toBe(false);
  proofs.lose();
  expect(proofs.isProven(at)).toBe(false);
});

describe("the version of a claude", () => {
  const file = { path: "/bin/claude", size: 5, modifiedAt: 7 };

  test("is known of the very file that was asked", async () => {
    await using home = new Home();
    using store = home.store();
    const { database } = store;
    expect(keptVersion(database, file)).toBeUndefined();
    keepVersion(database, { ...file, version: "2.1.0" });
    keepVersion(database, { ...file, path: "/other/claude" });
    expect(keptVersion(database, file)).toEqual({ ...file, version: "2.1.0" });
    expect(keptVersion(database, { ...file, path: "/other/claude" })).toEqual({
      ...file,
      path: "/other/claude",
    });
    for (const changed of [{ path: "/x" }, { size: 6 }, { modifiedAt: 8 }])
      expect(keptVersion(database, { ...file, ...changed })).toBeUndefined();
    keepVersion(database, { ...file, size: 6, version: "2.2.0" });
    expect(keptVersion(database, file)).toBeUndefined();
    expect(keptVersion(database, { ...file, size: 6 })?.version).toBe("2.2.0");
  });

  test("is kept of the last sixteen files", async () => {
    await using home = new Home();
    using store = home.store();
    const { database } = store;
    const files = Array.from({ length: 17 }, (_, index) => ({ ...file, path: `/${index}` }));
    for (const one of files) keepVersion(database, one);
    expect(files.map((one) => keptVersion(database, one) !== undefined)).toEqual([
      false,
      ...Array(16).fill(true),
    ]);
  });

  test("is asked for anew where a newer program has written what we cannot read", async () => {
    await using home = new Home();
    using store = home.store();
    const { database } = store;
    database.run("INSERT INTO facts (name, value) VALUES ('claude-versions', '{\"of\":\"another form\"}')");
    expect(keptVersion(database, file)).toBeUndefined();
    keepVersion(database, file);
    expect(keptVersion(database, file)).toEqual(file);
  });
});

describe("the token of the HTTP door", () => {
  testNeeding("modes of files")("is made once, private to its user, and stays", async () => {
    await using home = new Home();
    const layout = layoutOf(home.file("fresh"));
    const made = await httpToken(layout);
    expect(made).toEqual({ token: expect.stringMatching(/^[\w-]{32,}$/), isNew: true });
    expect(await httpToken(layout)).toEqual({ token: made.token, isNew: false });
    expect(statSync(layout.httpTokenFile).mode & 0o777).toBe(0o600);
    expect(statSync(layout.stateDirectory).mode & 0o777).toBe(0o700);
    chmodSync(layout.httpTokenFile, 0o644);
    await httpToken(layout);
    expect(statSync(layout.httpTokenFile).mode & 0o777).toBe(0o600);
    expect((await httpToken(layoutOf(home.file("other")))).token).not.toBe(made.token);
  });

  test.each([
    ["x".repeat(32), true],
    [`  ${"aB9-._~+/=".repeat(4)}\n`, true],
    ["x".repeat(31), false],
    [`${"x".repeat(32)} y`, false],
    ["é".repeat(40), false],
    ["", false],
  ])("may be one's own: %j: %p", async (text, isTaken) => {
    await using home = new Home();
    const layout = layoutOf(home.state);
    await httpToken(layout);
    writeFileSync(layout.httpTokenFile, text);
    if (isTaken) expect(await httpToken(layout)).toEqual({ token: text.trim(), isNew: false });
    else await expect(httpToken(layout)).rejects.toThrow(StoreProblem);
  });
});
