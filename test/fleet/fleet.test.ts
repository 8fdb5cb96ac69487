// A batch on a fleet, from one end to the other: a submitter, workers and a Redis, all as processes.
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { describeNeeding } from "../facilities.ts";
import { asked } from "../fake-notes.ts";
import { run } from "../harness.ts";
import { OwnBatch } from "./own-batch.ts";
import { OwnFleet } from "./own-fleet.ts";

describeNeeding("redis")("a batch on a fleet", () => {
  test("runs on its workers, and its answers come back with their costs", async () => {
    await using fleet = await OwnFleet.create();
    const { home } = fleet;
    await fleet.worker("box-1");
    await fleet.worker("box-2");
    const tasks = Array.from(
      { length: 6 },
      (_, index) => `[[cost usd=0.25]] [[answer text=answer-${index}]]`,
    );
    await Bun.write(home.file("tasks.json"), JSON.stringify(tasks));
    const { code, out, err } = await run(home, [
      "run",
      "--fleet",
      "team",
      "-f",
      home.file("tasks.json"),
      "--json",
    ]);
    expect({ code, err: code === 0 ? "" : err }).toEqual({ code: 0, err: "" });
    const answer = JSON.parse(out);
    expect(answer.results.map(({ result }: { result: string }) => result)).toEqual(
      tasks.map((_, index) => `answer-${index}`),
    );
    expect(answer.totalCostUsd).toBeCloseTo(1.5, 6);
    expect(asked(home).length).toBe(6);
  }, 60_000);

  test("sends the files of a repository, uncommitted ones too, and brings changes back as branches", async () => {
    await using fleet = await OwnFleet.create({
      policy: { repositories: ["/*/origin.git"], permissionModes: ["acceptEdits"] },
    });
    const { home } = fleet;
    const git = (directory: string, ...words: string[]) => {
      const name = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"];
      const { stdout, stderr, exitCode } = Bun.spawnSync(["git", ...name, ...words], { cwd: directory });
      if (exitCode !== 0) throw new Error(stderr.toString());
      return stdout.toString().trim();
    };
    const [origin, own] = [home.file("origin.git"), home.file("own")];
    git(home.path, "init", "--quiet", "--bare", origin);
    git(home.path, "clone", "--quiet", origin, own);
    await Bun.write(`${own}/a.txt`, "committed");
    git(own, "add", "--all");
    git(own, "commit", "--quiet", "--message", "First");
    git(own, "push", "--quiet", "origin", "HEAD");
    await Bun.write(`${own}/b.txt`, "not committed");
    await fleet.worker("box-1");
    const task = {
      task: "[[shell command='cat a.txt b.txt > c.txt']] [[answer text=done]]",
      key: "c",
      permissionMode: "acceptEdits",
    };
    const { results } = await new OwnBatch(home, [task], ["--working-directory", own]).answer();
    expect(results).toMatchObject([{ result: "done", worker: "box-1" }]);
    const branch = /branch (\S+)\./.exec(results[0]?.remarks?.join(" ") ?? "")?.[1] ?? "";
    expect(git(own, "show", `${branch}:c.txt`)).toBe("committednot committed");
    expect(git(own, "status", "--porcelain")).toBe("?? b.txt");
    expect(readdirSync(own).sort()).toEqual([".git", "a.txt", "b.txt"]);
  }, 60_000);

  test("refuses on the worker what its policy does not allow, and spends nothing", async () => {
    await using fleet = await OwnFleet.create({ policy: { permissionModes: ["plan"] } });
    const { home } = fleet;
    await fleet.worker("box-1");
    const { results } = await new OwnBatch(home, [{ task: "a", permissionMode: "acceptEdits" }]).answer();
    expect(results).toMatchObject([
      { status: "error", error: expect.stringContaining("does not allow the permission mode acceptEdits") },
    ]);
    expect(asked(home)).toEqual([]);
  }, 60_000);

  test("repeats on the worker what a second try can fix, and counts all that was spent", async () => {
    await using fleet = await OwnFleet.create();
    const { home } = fleet;
    await fleet.worker("box-1");
    const once = home.file("once");
    const task = `[[cost usd=0.25]] [[refused status=500 kind=api_error text=Odd once=${once}]] [[answer text=better]]`;
    const { results } = await new OwnBatch(home, [task]).answer();
    expect(results).toMatchObject([{ result: expect.any(String), status: "success" }]);
    expect(results[0]?.remarks?.join(" ")).toContain("2 attempts");
  }, 60_000);

  test("says in list, results and logs where a task ran", async () => {
    await using fleet = await OwnFleet.create();
    const { home } = fleet;
    await fleet.worker("box-1");
    const said = await run(home, ["run", "--fleet", "team", "[[answer text=yes]]"]);
    expect(said).toMatchObject({ code: 0, out: "yes\n" });
    expect((await run(home, ["logs", "latest", "1"])).out).toContain("Ran on box-1");
    expect(JSON.parse((await run(home, ["results", "latest", "--json"])).out).results).toMatchObject([
      { worker: "box-1" },
    ]);
    const [page = ""] = new Bun.Glob("**/report-*.html").scanSync({ cwd: home.output, absolute: true });
    expect(await Bun.file(page).text()).toContain("succeeded on box-1");
  }, 60_000);
});
