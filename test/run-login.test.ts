// `run` without a login: where somebody is there it waits for one, and where nobody is it ends at once.
import { describe, expect, test } from "bun:test";
import { isAttended } from "../src/doors/commands/attended.ts";
import { RunningCommand } from "./cli-harness.ts";
import { eventually, Home, run } from "./harness.ts";
import { TerminalCommand } from "./pty-harness.ts";

/** A session that the API refuses until somebody has logged in. */
const refused = (home: Home) =>
  `[[refused status=401 kind=authentication_failed text="Not logged in" until=${home.file("login")}]]`;

async function logIn(home: Home): Promise<void> {
  await Bun.write(home.file("login"), "");
  await run(home, ["doctor"]);
}

describe("where nobody is there, a login that does not work ends the batch at once", () => {
  test("with an exit status of its own, one session, and a word on what to do", async () => {
    await using home = new Home({ PARALLEL_CLAUDE_LOGIN_PROOF_SECONDS: "60" });
    const { code, out, err } = await run(home, ["run", "--json", refused(home), "two", "three"]);
    expect(code).toBe(3);
    expect(JSON.parse(out)).toMatchObject({
      state: expect.not.stringMatching("running"),
      counts: { succeeded: 0, failed: 1, cancelled: 2 },
      results: [{ outcome: "failed: auth" }, { outcome: "cancelled: hold" }, { outcome: "cancelled: hold" }],
    });
    for (const words of ["`ANTHROPIC_API_KEY`", "`claude setup-token`", "`--wait-for-login`"])
      expect(err).toContain(words);
  });

  test("missing credit as well", async () => {
    await using home = new Home();
    const { code, err } = await run(home, ["run", "[[error status=402]]", "--retries", "0"]);
    expect(code).toBe(3);
    expect(err).toContain("Add credit");
  });

  test("in CI, whatever looks like a terminal", async () => {
    await using home = new Home({ CI: "true" });
    await using command = new TerminalCommand(home, ["run", refused(home)]);
    expect(await command.ended()).toBe(3);
    expect(command.written).toContain("`CI` is set");
  });

  test("though another batch waits for the login: it is tried once, and that batch goes on waiting", async () => {
    await using home = new Home({ PARALLEL_CLAUDE_LOGIN_PROOF_SECONDS: "60" });
    await run(home, ["run", "--detach", refused(home), "two"]);
    using store = home.store();
    await eventually(
      () => store.list()[0]?.held !== undefined,
      () => "the batch in the background is not held",
    );
    expect((await run(home, ["run", refused(home)])).code).toBe(3);
    expect(store.list().map(({ endedAt }) => endedAt !== undefined)).toEqual([true, false]);
    // Somebody has logged in since: it need not wait for the hold to be over.
    await Bun.write(home.file("login"), "");
    expect((await run(home, ["run", refused(home)])).code).toBe(0);
    expect((await run(home, ["wait", store.list()[2]?.batchId ?? ""])).code).toBe(0);
  });
});

describe("it waits for a login", () => {
  test("with --wait-for-login", async () => {
    await using home = new Home();
    await using command = new RunningCommand(home, ["run", refused(home), "two", "--wait-for-login"]);
    await command.says("Claude is not logged in");
    await logIn(home);
    expect(await command.ended()).toBe(0);
  });

  test("in a terminal", async () => {
    await using home = new Home();
    await using command = new TerminalCommand(home, ["run", refused(home)]);
    await command.shows("Claude is not logged in");
    await logIn(home);
    expect(await command.ended()).toBe(0);
  });

  test("in the background", async () => {
    await using home = new Home({ CI: "true" });
    await run(home, ["run", "--detach", refused(home)]);
    using store = home.store();
    await eventually(
      () => store.list()[0]?.held !== undefined,
      () => "the batch in the background is not held",
    );
    await logIn(home);
    expect((await run(home, ["wait", "latest"])).code).toBe(0);
  });
});

test("CI counts as set unless it says no", () => {
  for (const CI of ["1", "true", "yes", "GitLab"]) expect(isAttended({ CI })).toBe(false);
  const without = isAttended({});
  for (const CI of ["", "0", "false", "False", "no"]) expect(isAttended({ CI })).toBe(without);
});
