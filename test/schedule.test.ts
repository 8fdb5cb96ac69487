// `schedule` as its user meets it: what it installs, lists and removes, and what it refuses.
import { expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeSync } from "node:fs";
import { delimiter, join } from "node:path";
import { boundLog, mostLogBytes, mostOlderLogs } from "../src/operations/schedule/bounded-log.ts";
import { closeDescriptor, openForAppending, sizeOf } from "../src/platform/files.ts";
import { scheduleLogVariable } from "../src/platform/session-variables.ts";
import { testNeeding } from "./facilities.ts";
import { filesIn, Home, program, run } from "./harness.ts";

/** A home whose systemd writes down what it is asked. `status`: with which it answers. */
async function homeWithSystemd(status: Record<string, number> = {}): Promise<Home> {
  const home = new Home();
  const tools = home.file("tools");
  mkdirSync(tools);
  const cases = Object.entries(status).map(([words, code]) => `*"${words}"*) echo "no $1"; exit ${code};;`);
  for (const name of ["systemctl", "loginctl"]) {
    const text = `#!/bin/sh\necho "${name} $*" >> "$HOME/asked"\ncase "$*" in ${cases.join(" ")} esac\n`;
    await Bun.write(join(tools, name), text);
    chmodSync(join(tools, name), 0o755);
  }
  home.set({ PATH: [tools, home.environment["PATH"] ?? ""].join(delimiter) });
  return home;
}

const folderOf = (home: Home) => join(home.path, ".config/systemd/user");
const words = [
  "schedule",
  " every\n night",
  "--json",
  "--",
  "run",
  "100% $HOME",
  "--batch-name",
  "Nightly review",
];

testNeeding("Linux")("a schedule is installed, starts its command as written, and goes again", async () => {
  await using home = await homeWithSystemd();
  const { code, out } = await run(home, words);
  expect(code).toBe(0);
  const made = JSON.parse(out);
  expect(made).toMatchObject({
    message: expect.stringContaining("enable-linger"),
    schedules: [
      { name: "nightly-review", when: "every night", system: "systemd", workingDirectory: home.work },
    ],
  });
  const unit = "parallel-claude-code-mcp-nightly-review";
  expect(filesIn(folderOf(home))).toEqual([`${unit}.service`, `${unit}.timer`]);
  expect(readFileSync(home.file("asked"), "utf8").trim().split("\n").slice(0, 3)).toEqual([
    "systemctl --user show-environment",
    "systemctl --user daemon-reload",
    `systemctl --user enable --now ${unit}.timer`,
  ]);
  // Once more, under another name, for people.
  const second = await run(home, ["schedule", "every", "hour", "--", ...words.slice(4)]);
  expect(second.out).toContain("Scheduled nightly-review-2: `run '100% $HOME'");
  const taken = await run(home, ["schedule", "every hour", "--name", "nightly-review", "--", "list"]);
  expect(taken).toMatchObject({ code: 2, err: expect.stringContaining("already") });
  // A package manager has put a new version of the program elsewhere.
  const kept = join(home.path, ".config/parallel-claude-code-mcp/schedules/nightly-review-2.json");
  await Bun.write(kept, JSON.stringify({ ...(await Bun.file(kept).json()), program: ["/gone/program"] }));
  const { out: list } = await run(home, ["schedule"]);
  expect(list).toContain("nightly-review-2: /gone/program does not exist any more.");
  expect(list).toMatch(/^nightly-review +every night +\S+ 03:00 +–/m);
  const removed = await run(home, ["schedule", "remove", "nightly-review-2"]);
  expect(removed.out).toContain("Removed the schedule nightly-review-2.");
  expect(filesIn(folderOf(home))).toEqual([`${unit}.service`, `${unit}.timer`]);
  // Somebody else has removed the files of the other.
  await Bun.file(join(folderOf(home), `${unit}.timer`)).delete();
  expect((await run(home, ["schedule"])).out).toContain("does not exist any more");
  // As long as systemd does not obey, it goes on to start it.
  const systemctl = join(home.file("tools"), "systemctl");
  await Bun.write(systemctl, `#!/bin/sh\ncase "$*" in *disable*) echo "not now"; exit 1;; esac\n`);
  const refused = await run(home, ["schedule", "remove", "nightly-review"]);
  expect(refused).toMatchObject({ code: 2, err: expect.stringContaining("still starts nightly-review") });
  expect(filesIn(folderOf(home))).toEqual([`${unit}.service`]);
  await Bun.write(systemctl, "#!/bin/sh\necho nobody; exit 1\n");
  const gone = await run(home, ["schedule", "remove", "nightly-review"]);
  expect(gone).toMatchObject({ code: 0, out: expect.stringContaining("failed (nobody)") });
  expect((await run(home, ["schedule"])).out).toContain("Nothing is scheduled.");
  expect(filesIn(folderOf(home))).toEqual([]);
});

testNeeding("Linux")("where no systemd runs, nothing is left behind, and it says what to do", async () => {
  await using without = await homeWithSystemd({ "show-environment": 1 });
  const refused = await run(without, words);
  expect({ code: refused.code, out: refused.out }).toEqual({ code: 2, out: "" });
  expect(refused.err).toContain("loginctl enable-linger");
  expect(refused.err).toMatch(
    /^0 3 \* \* \* cd .* run '100\\% \$HOME' --batch-name 'Nightly review' >> .* 2>&1$/m,
  );
  await using broken = await homeWithSystemd({ enable: 1 });
  const failed = await run(broken, words);
  expect(failed).toMatchObject({ code: 2, err: expect.stringContaining("nothing is scheduled: no --user") });
  for (const home of [without, broken]) {
    expect(existsSync(folderOf(home)) ? filesIn(folderOf(home)) : []).toEqual([]);
    expect((await run(home, ["schedule", "list", "--json"])).out).toContain('"schedules": []');
  }
});

test("what cannot run is refused before anybody sleeps", async () => {
  await using home = new Home();
  const refused: [string[], string][] = [
    [["every blue moon", "--", "run", "x"], "every monday at 9:00"],
    [["every night", "--", "run", "x", "--modl", "opus"], "did you mean `--model`?"],
    [["every night", "--", "serve"], "has no end"],
    [["every night", "--", "rm", "-rf"], "is no command of this program"],
    [["every night", "run", "-f", "x"], "go behind `--`"],
    [
      ["0 3 */2 * 1", "--system", "launchd", "--print", "--", "list"],
      "both a day of the month and a weekday",
    ],
    [["every night"], "Write it after `--`"],
    [["every night", "--name", "My Task", "--", "list"], "small letters"],
    [["every night", "--", "run", "a\u0001b"], "control character"],
    [["remove", "tidy"], "There is no schedule"],
  ];
  for (const [given, says] of refused) {
    const { code, err } = await run(home, ["schedule", ...given]);
    expect({ given, code, err }).toEqual({ given, code: 2, err: expect.stringContaining(says) });
  }
  expect(existsSync(join(home.path, ".config"))).toBe(false);
});

test("a command whose system keeps no output writes it into its log", async () => {
  await using home = new Home();
  const log = home.file("logs/tidy.log");
  for (const name of ["one", "two"]) {
    const variables = { PARALLEL_CLAUDE_CONCURRENCY: name === "one" ? "3" : "4" };
    const asked = JSON.stringify({ log, variables, words: ["config"] });
    const { code, out } = await run(home, ["__logged", asked]);
    expect({ code, out }).toEqual({ code: 0, out: "" });
  }
  const text = readFileSync(log, "utf8");
  expect(text.match(/^concurrency +\d/gm)?.map((line) => line.at(-1))).toEqual(["3", "4"]);
  const wrong = JSON.stringify({ log, variables: {}, words: ["nonsense"] });
  expect((await run(home, ["__logged", wrong])).code).toBe(2);
});

testNeeding("Linux")(
  "commands that start at once move a long log aside, and no line of anybody is lost",
  async () => {
    await using home = new Home();
    const log = home.file("tidy.log");
    const begun = `${"x".repeat(mostLogBytes - 1)}\n`;
    await Bun.write(log, begun);
    // One of last night's still prints into it.
    using slow = opened(log);
    const starts = Array.from({ length: 3 }, async (_, index) => {
      using file = opened(log);
      const child = Bun.spawn([...program(), "config"], {
        cwd: home.work,
        env: { ...home.environment, [scheduleLogVariable]: log, PARALLEL_CLAUDE_CONCURRENCY: `${index + 1}` },
        stdin: "ignore",
        stdout: file.descriptor,
        stderr: file.descriptor,
      });
      return await child.exited;
    });
    expect(await Promise.all(starts)).toEqual([0, 0, 0]);
    writeSync(slow.descriptor, "the last line\n");
    const names = filesIn(home.path).filter((name) => name.startsWith("tidy.log."));
    const [older = "", ...others] = names.map((name) => readFileSync(home.file(name), "utf8"));
    expect(older).toStartWith(begun);
    expect(older).toEndWith("the last line\n");
    // Who was too late to print into the new one has printed into one that was moved aside.
    const all = [older, ...others, readFileSync(log, "utf8")].join("").slice(begun.length);
    const printed = [...all.matchAll(/^concurrency +(\d)/gm)].map(([, number]) => number);
    expect(printed.toSorted()).toEqual(["1", "2", "3"]);
    expect(sizeOf(log)).toBeLessThan(mostLogBytes);
    // By hand, with an output of its own, nothing happens.
    await Bun.write(log, begun);
    home.set({ [scheduleLogVariable]: log });
    expect((await run(home, ["config"])).err).toBe("");
    expect(readFileSync(log, "utf8")).toBe(begun);
  },
);

test("of the logs that were moved aside, the newest few stay", async () => {
  await using home = new Home();
  const folder = home.file("logs");
  const log = join(folder, "tidy.log");
  mkdirSync(folder);
  const older = [1, 2, 3, 4, 5].map((day) => `tidy.log.2020010${day}T030000.000Z-1`);
  for (const name of [...older, "tidy-2.log"]) await Bun.write(join(folder, name), name);
  await Bun.write(log, "x".repeat(mostLogBytes));
  boundLog(log);
  const [newest, ...left] = filesIn(folder).toReversed();
  expect(left.toReversed()).toEqual(["tidy-2.log", ...older.slice(1 - mostOlderLogs)]);
  expect(sizeOf(join(folder, newest ?? ""))).toBe(mostLogBytes);
  await Bun.write(log, "short");
  boundLog(log);
  expect(readFileSync(log, "utf8")).toBe("short");
});

function opened(path: string): Disposable & { descriptor: number } {
  const descriptor = openForAppending(path);
  return { descriptor, [Symbol.dispose]: () => closeDescriptor(descriptor) };
}
