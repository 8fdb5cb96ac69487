// The program for Windows from the first call to the last, driven as its clients do: by a program of Windows, because a pipe of
// Linux gives one nothing under Wine.
import { expect } from "bun:test";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { shellQuoted } from "../src/model/shell-quoted.ts";
import { type ClientName, clientNames } from "../src/operations/clients/client-names.ts";
import { continueCommand } from "../src/report/task-facts.ts";
import type { BatchRow } from "../src/store/store.ts";
import { testNeeding } from "./facilities.ts";
import { clients, connectNew, eventually, Home, kill, program, run } from "./harness.ts";
import { newestRow, startRunning, untilAsked, untilKept, untilRunning } from "./running.ts";

const testOnWindows = testNeeding("Windows");

for (const { era, connect } of clients) {
  testOnWindows(`on Windows, a ${era} gets the tools, and the answers of a batch`, async () => {
    await using home = new Home();
    await using client = await connect(home);
    const tools = (await client.listTools()).map(({ name }) => name);
    expect(tools).toContain("spawn_parallel_claude_sessions");
    const tasks = ["[[answer text=1]]", "[[answer text=2]]", "[[error status=400]]"];
    const { data } = await client.call("spawn_parallel_claude_sessions", { tasks });
    const results: { result?: string; outcome: string }[] = JSON.parse(JSON.stringify(data?.["results"]));
    expect(results.map(({ outcome, result }) => ({ outcome, result }))).toMatchObject([
      { outcome: "succeeded", result: "1" },
      { outcome: "succeeded", result: "2" },
      { outcome: "failed: request" },
    ]);
    await client.close();
    await home.empty();
  });
}

testOnWindows("on Windows, doctor finds nothing wrong", async () => {
  await using home = new Home();
  const { code, out } = await run(home, ["doctor"]);
  expect(out).toContain("All checks passed.");
  expect(code).toBe(0);
});

const places: Partial<Record<ClientName, string[]>> = {
  "claude-desktop": ["AppData", "Roaming", "Claude", "claude_desktop_config.json"],
  "claude-code": [".claude.json"],
  cursor: [".cursor", "mcp.json"],
  vscode: ["AppData", "Roaming", "Code", "User", "mcp.json"],
  codex: [".codex", "config.toml"],
  zed: ["AppData", "Roaming", "Zed", "settings.json"],
};

for (const client of clientNames) {
  const place = places[client];
  if (place === undefined) continue;
  testOnWindows(
    `on Windows, ${client} gets an entry that starts this program, and loses it again`,
    async () => {
      await using home = new Home();
      const path = join(home.path, ...place);
      expect(await run(home, ["install", "--client", client, "--yes"])).toMatchObject({ code: 0 });
      const text = readFileSync(path, "utf8");
      const parsed: unknown = client === "codex" ? Bun.TOML.parse(text) : JSON.parse(text);
      const [command = ""] = program();
      expect(JSON.stringify(parsed)).toContain(JSON.stringify(command));
      expect(await run(home, ["uninstall", "--client", client, "--yes"])).toMatchObject({ code: 0 });
      expect(existsSync(path) ? readFileSync(path, "utf8") : "").not.toContain("parallel-claude");
    },
  );
}

testOnWindows("on Windows, cancel ends sessions with what they started, wherever it went", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const task = "[[grandchild double-fork survive-interrupt]] [[hang]]";
  const batchId = await startRunning(home, client, { tasks: [task, task, task] }, 3);
  expect((await run(home, ["cancel", batchId])).code).toBe(0);
  await client.close();
  await home.empty();
  expect(newestRow(home)).toMatchObject({ counts: { running: 0, cancelled: 3 } });
});

testOnWindows("on Windows, a batch ends with the client that waited for it", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const task = "[[grandchild double-fork survive-interrupt]] [[hang]]";
  client.call("spawn_parallel_claude_sessions", { tasks: [task, task] }).catch(() => undefined);
  await untilRunning(home, 2);
  process.kill(client.pid, "SIGKILL");
  await home.empty();
  expect((await run(home, ["list"])).out).toContain("stopped: client gone");
});

testOnWindows(
  "on Windows, twenty tasks outlive their door and their runners, and each is done once",
  async () => {
    await using home = new Home();
    const [gate, later] = [home.file("gate"), home.file("later")];
    const quick = Array.from({ length: 10 }, (_, at) => `quick ${at} [[answer text=q${at}]]`);
    const failing = Array.from({ length: 2 }, (_, at) => `failing ${at} [[error status=400]]`);
    const waiting = Array.from(
      { length: 5 },
      (_, at) => `waiting ${at} [[wait-for-file path='${gate}']] [[answer text=w${at}]]`,
    );
    const stuck = Array.from(
      { length: 3 },
      (_, at) =>
        `stuck ${at} [[grandchild double-fork]] [[wait-for-file path='${later}']] [[answer text=s${at}]]`,
    );
    const door = await connectNew(home);
    const tasks = [...quick, ...failing, ...waiting, ...stuck];
    await door.call("spawn_parallel_claude_sessions", { tasks, asyncMode: true, concurrency: 10 });
    const row = () => newestRow(home);
    const until = (counts: Partial<BatchRow["counts"]>) =>
      eventually(
        () => Bun.deepMatch(counts, row()?.counts ?? {}),
        () => `not ${JSON.stringify(counts)}: ${JSON.stringify(row())}`,
      );
    await until({ succeeded: 10, failed: 2, running: 8 });
    await untilAsked(home, 20);
    process.kill(door.pid, "SIGKILL");
    // Its keeper starts another one, which takes over the sessions.
    const [, first] = await untilKept(home);
    await kill(first);
    const [keeper, second] = await untilKept(home);
    expect(second).not.toEqual(first);
    // Nobody is left. The next door starts them again.
    await kill(keeper, second);
    await using client = await connectNew(home);
    const batchId = row()?.batchId ?? "";
    expect(await client.call("wait_for_batch", { batchId, waitSeconds: 1 })).toMatchObject({
      isError: false,
    });
    await Bun.write(gate, "");
    await until({ succeeded: 15, failed: 2, running: 3 });
    expect(await run(home, ["cancel", batchId, "18-20"])).toMatchObject({ code: 0 });
    await until({ succeeded: 15, failed: 2, cancelled: 3, running: 0 });
    await eventually(
      () => row()?.endedAt !== undefined,
      () => "it does not end",
    );
    await Bun.write(later, "");
    expect(await run(home, ["retry", batchId, "18-20"])).toMatchObject({ code: 0 });
    await until({ succeeded: 18, failed: 2, running: 0 });
    const { out } = await run(home, ["results", batchId, "--limit", "100", "--json"]);
    const results: { result?: string }[] = JSON.parse(out).results;
    expect(results.flatMap(({ result }) => result ?? [])).toEqual([
      ...quick.map((_, at) => `q${at}`),
      ...waiting.map((_, at) => `w${at}`),
      ...stuck.map((_, at) => `s${at}`),
    ]);
    const prompts = readFileSync(home.startsLog, "utf8")
      .split("\n")
      .filter((line) => line.includes('"kind":"prompt"'));
    const timesStarted = (tasks: string[]) =>
      tasks.map((task) => prompts.filter((line) => line.includes(task.slice(0, 9))).length);
    expect(timesStarted([...quick, ...failing, ...waiting])).toEqual(Array(17).fill(1));
    expect(timesStarted(stuck)).toEqual([2, 2, 2]);
    await client.close();
    await home.empty();
  },
);

testOnWindows(
  "on Windows, a word that we print quoted reaches a program through cmd.exe as it was",
  async () => {
    await using home = new Home();
    await Bun.write(home.file("said.ts"), "console.log(JSON.stringify(process.argv.slice(2)));");
    const words = [
      "Read,Edit",
      "Bash(git log:*)",
      "C:\\my work\\",
      '{"a": "b & c"}',
      'ends in \\"',
      "a^b|c<d>",
      "",
    ];
    const line = [process.execPath, home.file("said.ts"), ...words]
      .map((word) => shellQuoted(word))
      .join(" ");
    expect(JSON.parse(await inCommandPrompt(home, line))).toEqual(words);
  },
);

testOnWindows("on Windows, a conversation is continued in its directory, on whatever drive", async () => {
  await using home = new Home();
  const workingDirectory = home.file("my work");
  mkdirSync(workingDirectory);
  const command = continueCommand({ workingDirectory, sessionId: "id" }) ?? "";
  // Without arguments, `cd` prints where it is.
  const said = await inCommandPrompt(home, command.replace("claude --resume id", "cd"));
  expect(said.trim()).toBe(workingDirectory);
});

testOnWindows("on Windows, standard input that is no file has no task, and none that is closed", async () => {
  await using home = new Home();
  for (const stdin of ["ignore", new Blob([""])] as const) {
    const child = Bun.spawn([...program(), "run", "-f", "-"], {
      cwd: home.work,
      env: home.environment,
      stdin,
      stdout: "ignore",
      stderr: "pipe",
    });
    expect(await child.stderr.text()).toContain("standard input: it has no task");
    expect(await child.exited).toBe(2);
  }
});

/** What a line that somebody types prints. */
async function inCommandPrompt(home: Home, line: string): Promise<string> {
  const child = Bun.spawn(["cmd.exe", "/d", "/s", "/c", `"${line}"`], {
    cwd: home.work,
    env: { ...process.env, ...home.environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
    windowsVerbatimArguments: true,
  });
  return child.stdout.text();
}
