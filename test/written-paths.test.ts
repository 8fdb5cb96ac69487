// Paths in calls: where relative ones begin, what is expanded, and what is refused instead of becoming a directory.

import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { testNeeding } from "./facilities.ts";
import { connectNew, eventually, Home } from "./harness.ts";

const many = "spawn_parallel_claude_sessions";

/** An argument in the JSON of an answer, whose text is the JSON of all arguments. */
const said = (argument: string) => within(within(argument));
const within = (text: string) => JSON.stringify(text).slice(1, -1);

test("a task's relative paths begin in the directory of its batch, not where the server stands", async () => {
  await using home = new Home();
  const project = home.file("project");
  for (const path of ["packages/a/lib", "lib"]) mkdirSync(join(project, path), { recursive: true });
  await Bun.write(`${project}/mcp.json`, '{"mcpServers":{}}');
  await Bun.write(`${project}/packages/a/s.json`, '{"permissions":{}}');
  await using client = await connectNew(home);
  const { data, text } = await client.call(many, {
    workingDirectory: project,
    outputDirectory: "results",
    tasks: [
      { task: "[[args]]", addDirectories: ["lib"], mcpConfig: "mcp.json" },
      { task: "[[cwd]]", workingDirectory: "packages/a" },
      { task: "[[args]]", workingDirectory: "packages/a", addDirectories: ["lib"], settings: "s.json" },
    ],
  });
  expect(text).toContain(said(`--add-dir=${join(project, "lib")}`));
  expect(text).toContain(said(`--mcp-config=${join(project, "mcp.json")}`));
  expect(text).toContain(said(`--add-dir=${join(project, "packages/a/lib")}`));
  expect(data).toMatchObject({
    outputDirectory: join(project, "results"),
    results: [{}, { result: join(project, "packages/a") }, {}],
  });
});

test("`~`, `$HOME` and a file's address are expanded", async () => {
  await using home = new Home();
  mkdirSync(home.file("a b"));
  await using client = await connectNew(home);
  for (const workingDirectory of [
    "~/a b",
    "$HOME/a b",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as a shell would have expanded it.
    "${HOME}/a b",
    pathToFileURL(home.file("a b")).href,
    pathToFileURL(home.file("a b")).href.replace("file://", "file://localhost"),
  ]) {
    const { data } = await client.call("spawn_claude_session", { task: "[[cwd]]", workingDirectory });
    expect(data).toMatchObject({ result: home.file("a b") });
  }
});

test("what would become a directory of a strange name is refused, each with its place", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const long = "n".repeat(256);
  const ofWindows: [string, string][] = [
    ["C:\\Users\\me", "is a path of Windows"],
    ["C:/Users/me", "is a path of Windows"],
  ];
  const refused: [string, string][] = [
    ["~root/x", "begins with ~root, which is not expanded"],
    ["$OUT/x", "contains $OUT, and only ~ and $HOME are expanded"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as a shell would have expanded it.
    ["results/${DATE}", "contains ${DATE}, and only ~ and $HOME are expanded"],
    ["results-$USER/x", "contains $USER, and only"],
    ["results/$(date +%F)", "contains $(date +%F), and only"],
    ["results-`date`", "contains `date`, and only"],
    ["%TEMP%/x", "contains %TEMP%"],
    ["file:///a%00b", "contains a NUL character"],
    ["file://server/x", "is the address of a file on another machine"],
    ["https://example.com/x", "is an address; expected a path"],
    ...(process.platform === "win32" ? [] : ofWindows),
    [long, "is longer than a path may be"],
    ["a/".repeat(3_000), "is longer than a path may be"],
  ];
  for (const [path, fault] of refused) {
    const { isError, text } = await client.call(many, {
      tasks: [
        "x",
        { task: "y", workingDirectory: path, addDirectories: [path], mcpConfig: path, settings: path },
      ],
      workingDirectory: path,
      outputDirectory: path,
    });
    expect(isError).toBe(true);
    for (const place of [
      "workingDirectory",
      "outputDirectory",
      "tasks[1].workingDirectory",
      "tasks[1].addDirectories[0]",
      "tasks[1].mcpConfig",
      "tasks[1].settings",
    ])
      expect(text).toMatch(new RegExp(`^- ${RegExp.escape(place)} ".*["…] ${RegExp.escape(fault)}`, "m"));
    expect(text).toStartWith("Nothing was done. 6 problems");
  }
  expect(readdirSync(home.work)).toEqual([]);
});

test("a directory that is there is taken, whatever its name looks like", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  for (const workingDirectory of ["$RECYCLE.BIN", "out-$USER", "Outer$Inner", "100%_of_it"]) {
    mkdirSync(join(home.work, `${workingDirectory}`));
    const { data } = await client.call("spawn_claude_session", { task: "[[cwd]]", workingDirectory });
    expect(data).toMatchObject({ result: join(home.work, `${workingDirectory}`) });
  }
});

test("a NUL is refused in every option", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const options = Object.fromEntries(
    ["workingDirectory", "outputDirectory", "batchName", "model", "agent", "tools", "name", "mcpConfig"].map(
      (name) => [name, "a\0b"],
    ),
  );
  const { text } = await client.call(many, { tasks: ["x"], ...options });
  for (const name of Object.keys(options)) expect(text).toContain(`${name} contains a NUL character`);
});

testNeeding("symbolic links")(
  "a path that leads elsewhere by the time it is used was resolved when it was checked",
  async () => {
    await using home = new Home();
    mkdirSync(home.file("real"));
    symlinkSync(home.file("real"), home.file("link"));
    await using client = await connectNew(home);
    // Of the server it is the working directory; of the runner it would be the state directory.
    const { data } = await client.call(many, { tasks: ["[[cwd]]"], outputDirectory: "/proc/self/cwd/out" });
    expect(data).toMatchObject({ outputDirectory: join(home.work, "out") });
    expect(existsSync(join(home.work, "out/index.html"))).toBe(true);
    const linked = await client.call("spawn_claude_session", {
      task: "[[args]]",
      workingDirectory: home.file("link"),
      addDirectories: [home.file("link")],
    });
    expect(linked.text).toContain(`--add-dir=${home.file("real")}`);
  },
);

testNeeding("symbolic links")(
  "a directory that was replaced by a link out of the allowed roots after its check gets no session",
  async () => {
    await using home = new Home();
    mkdirSync(home.file("mine"));
    mkdirSync(home.file("of-others"));
    await using roots = new Home({ PARALLEL_CLAUDE_ALLOWED_ROOTS: home.path });
    mkdirSync(roots.file("outside"));
    await using client = await connectNew(roots);
    const gate = home.file("gate");
    const { data } = await client.call(many, {
      tasks: [`[[wait-for-file path=${gate}]]`, "[[cwd]]"],
      workingDirectory: home.file("mine"),
      concurrency: 1,
      asyncMode: true,
    });
    const batchId = String(data?.["batchId"]);
    await eventually(
      () => existsSync(roots.startsLog),
      () => "no session has started",
    );
    renameSync(home.file("mine"), home.file("of-others/mine"));
    symlinkSync(roots.file("outside"), home.file("mine"));
    await Bun.write(gate, "");
    await client.call("wait_for_batch", { batchId });
    const { text } = await client.call("read_batch_results", { batchId, tasks: [2] });
    expect(text).toContain(
      `${home.file("mine")} now leads to ${roots.file("outside")}, outside the allowed roots`,
    );
  },
);
