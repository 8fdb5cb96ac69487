// `run` without a login: where somebody is there it waits for one, and where nobody is it ends at once.

import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isAttended } from "../src/doors/cli/input/attended.ts";
import { RunningCommand } from "./cli-harness.ts";
import { testNeeding } from "./facilities.ts";
import { connectNew, eventually, Home, run } from "./harness.ts";
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

  test("and every view says that Claude is not logged in, and what to do", async () => {
    await using home = new Home({ PARALLEL_CLAUDE_LOGIN_PROOF_SECONDS: "60" });
    const { err } = await run(home, ["run", refused(home), "two", "three"]);
    const [, batchId = ""] = /Batch (\w{8})/.exec(err) ?? [];
    const why = "Stopped because Claude is not logged in: 1 of 3 tasks done (0 succeeded, 1 failed), 2 ";
    const next = `Log in (run \`claude\` in a terminal, and type \`/login\`); then \`parallel-claude-code-mcp retry ${batchId}\` runs the rest.`;
    const said = [err];
    for (const command of [
      ["show", batchId],
      ["show", batchId, "--json"],
      ["list", "--json"],
      ["wait", batchId],
    ])
      said.push((await run(home, command)).out);
    for (const text of said) {
      expect(text).toContain(why);
      expect(text).toContain(next);
      expect(text).not.toContain("Not logged in. Claude said: Not logged in");
    }
    expect((await run(home, ["list"])).out).toContain("stopped: not logged in");
    expect((await run(home, ["show", batchId])).out).toMatch(
      /state +stopped: not logged in.*2 +cancelled: not logged in/s,
    );
    const page = readFileSync(join(home.output, `report-${batchId}.html`), "utf8");
    expect(page).toContain('<span class="pill warn">stopped: not logged in</span>');
    expect(page).toContain(why);
    expect(page).toContain(">cancelled: not logged in<");
    expect((await run(home, ["results", batchId, "2"])).out).toContain(
      "Cancelled because Claude is not logged in",
    );
    await using client = await connectNew(home);
    const { data } = await client.call("wait_for_batch", { batchId });
    expect(data?.["message"]).toContain(
      `Ask the user to log in (run \`claude\` in a terminal, and type \`/login\`); then retry_batch (batchId ${batchId}) runs the rest.`,
    );
    // The page of another batch of the directory names it, too.
    await Bun.write(home.file("login"), "");
    const other = await run(home, ["run", "four"]);
    const [, otherId = ""] = /Batch (\w{8})/.exec(other.err) ?? [];
    expect(readFileSync(join(home.output, `report-${otherId}.html`), "utf8")).toContain(
      "stopped: not logged in",
    );
  });

  test("missing credit as well", async () => {
    await using home = new Home();
    const { code, err } = await run(home, ["run", "[[error status=402]]", "--retries", "0"]);
    expect(code).toBe(3);
    expect(err).toContain("Add credit");
  });

  testNeeding("a terminal of one's own")("in CI, whatever looks like a terminal", async () => {
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

  testNeeding("a terminal of one's own")("in a terminal", async () => {
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
