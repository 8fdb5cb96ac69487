// The terminal view, in a real terminal.
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { RunningCommand } from "./cli-harness.ts";
import { eventually, Home, kill, program, run } from "./harness.ts";
import { TerminalCommand } from "./pty-harness.ts";
import { untilKept, untilRunning } from "./running.ts";

const esc = "\x1b";
/** A session that is in a tool until the test lets it go on. */
const busy = (home: Home, gate = "gate", about = "") =>
  `${about} [[tool name=Read input=src/main.ts]] [[wait-for-file path=${home.file(gate)}]]`;

/** Starts a batch of its own processes, and gives its id once as many sessions run. */
async function detached(home: Home, tasks: string[], flags: string[] = []): Promise<string> {
  const { out } = await run(home, ["run", "--detach", "--json", ...tasks, ...flags]);
  const { batchId }: { batchId: string } = JSON.parse(out);
  return batchId;
}

describe("run in a terminal", () => {
  test("each running session has a line, what has ended scrolls above, and the end leaves no line of it", async () => {
    await using home = new Home();
    await using command = new TerminalCommand(home, ["run", "quick one", busy(home, "a"), busy(home, "b")]);
    await command.shows(/1\/3\n +2 running · 1 succeeded/);
    await command.shows(/ {2}2 +\d+ s {2}Read/);
    const { lines } = command.screen;
    const bar = lines.findIndex((line) => line.includes("━"));
    expect(lines.findIndex((line) => line.includes("task 1  succeeded"))).toBeLessThan(bar);
    expect(command.screen.cursorShown).toBe(false);
    await Bun.write(home.file("a"), "");
    await command.shows(/task 2 {2}succeeded/);
    await Bun.write(home.file("b"), "");
    expect(await command.ended()).toBe(0);
    const { text } = command.screen;
    expect(text).toContain("All 3 tasks succeeded.");
    expect(text).not.toContain("running");
    expect(text).not.toContain("━");
    expect(command.screen.cursorShown).toBe(true);
    expect(text.match(/succeeded {2}/g)).toHaveLength(3);
    await home.empty();
  });

  test("what has ended takes one line of a narrow terminal, with its columns", async () => {
    await using home = new Home();
    const tasks = Array.from(
      { length: 10 },
      (_, index) => `Review the module number ${index} for all that is wrong`,
    );
    await using command = new TerminalCommand(home, ["run", ...tasks, busy(home)], { columns: 70, rows: 30 });
    await command.shows(/10 succeeded/);
    const lines = command.screen.lines.filter((line) => /task \d+ +succeeded/.test(line));
    expect(lines).toHaveLength(10);
    for (const line of lines)
      expect(line).toMatch(/^ *\d+\/11 {2}task \d+ +succeeded {2}[\d.]+ s {2}\$\S+ {2}Review .*…$/);
    await Bun.write(home.file("gate"), "");
    expect(await command.ended()).toBe(0);
  });

  test("more sessions than rows are counted, and the view never scrolls itself away", async () => {
    await using home = new Home({ PARALLEL_CLAUDE_CONCURRENCY: "20" });
    const tasks = Array.from({ length: 12 }, () => busy(home));
    await using command = new TerminalCommand(home, ["run", ...tasks, "--concurrency", "12"], { rows: 9 });
    await command.shows(/… and 7 more running/);
    await command.shows(/12 running/);
    expect(command.screen.lines.length).toBe(9);
    expect(command.screen.text.match(/Batch \w{8}: /g)).toHaveLength(1);
    expect(command.screen.text.match(/more running/g)).toHaveLength(1);
    await Bun.write(home.file("gate"), "");
    expect(await command.ended()).toBe(0);
  });

  test("the view fits a terminal that is made narrower, wider and lower while it runs", async () => {
    await using home = new Home();
    await using command = new TerminalCommand(home, ["run", busy(home, "gate", "a".repeat(300)), busy(home)]);
    await command.shows(/2 running/);
    for (const [columns, rows] of [
      [40, 24],
      [200, 50],
      [30, 6],
      [80, 24],
    ] as const) {
      const before = command.written.length;
      command.resize(columns, rows);
      await eventually(
        () => command.written.slice(before).includes("?2026l"),
        () => "a frame is drawn",
      );
      await command.shows(/2 running/);
      for (const line of command.screen.lines) expect(Bun.stringWidth(line)).toBeLessThan(columns);
      expect(command.screen.lines.filter((line) => line.includes("0/2"))).toHaveLength(1);
    }
    await Bun.write(home.file("gate"), "");
    expect(await command.ended()).toBe(0);
  });

  test("a frame is one synchronized write, and nothing is drawn where nothing has changed", async () => {
    await using home = new Home();
    await using command = new TerminalCommand(home, ["run", busy(home)]);
    await command.shows(/1 running/);
    await Bun.write(home.file("gate"), "");
    await command.ended();
    const frames = command.written.split(`${esc}[?2026h`).slice(1);
    expect(frames.length).toBeGreaterThan(0);
    expect(frames.filter((frame) => !frame.includes(`${esc}[?2026l`))).toEqual([]);
    const same = frames.filter((frame, index) => index > 0 && frame === frames[index - 1]);
    expect(same).toEqual([]);
  });

  test("wide and hostile characters of a task and an activity neither break the view nor reach the terminal", async () => {
    await using home = new Home();
    const hostile = `漢字かな交じり文👩‍👩‍👧‍👦 ${esc}[2J${esc}]0;owned\x07 \u202Eevil\r\nnext ${"表".repeat(60)}`;
    await using command = new TerminalCommand(home, ["run", `${hostile} ${busy(home)}`]);
    await command.shows(/1 running/);
    await command.shows("漢字かな交じり文");
    expect(command.written).not.toContain("owned");
    expect(command.written).not.toContain(`${esc}[2J`);
    expect(command.screen.lines.filter((line) => line.includes("漢字"))).toHaveLength(1);
    await Bun.write(home.file("gate"), "");
    expect(await command.ended()).toBe(0);
  });

  test("Ctrl-C once ends what runs, says where the rest is, and gives the terminal back", async () => {
    await using home = new Home();
    await using command = new TerminalCommand(home, ["run", "[[hang]]", "[[hang]]", "--concurrency", "1"]);
    await command.shows(/1 running · 1 queued/);
    command.type("\x03");
    await command.shows("Press Ctrl-C again to kill them at once");
    expect(await command.ended()).toBe(130);
    expect(command.screen.text).toContain("Cancelled by the user: 0 of 2 tasks done, ");
    expect(command.screen.cursorShown).toBe(true);
    await home.empty();
  });

  for (const [name, status, end] of [
    ["Ctrl-C twice", 130, (command: TerminalCommand) => command.type("\x03")],
    ["SIGTERM twice", 143, (command: TerminalCommand) => command.signal("SIGTERM")],
  ] as const) {
    test(`${name} ends at once, and gives the terminal back`, async () => {
      await using home = new Home();
      await using command = new TerminalCommand(home, ["run", "[[ignore-everything]] [[hang]]"]);
      await command.shows(/1 running/);
      end(command);
      await command.shows("Press Ctrl-C again");
      end(command);
      expect(await command.ended()).toBe(status);
      expect(command.screen.cursorShown).toBe(true);
      await home.empty();
    });
  }

  test("a crash gives the terminal back", async () => {
    await using home = new Home();
    await using command = new TerminalCommand(home, ["run", busy(home)]);
    await command.shows(/1 running/);
    // Nothing of ours can go on without its store.
    using store = home.store();
    store.database.run("DROP TABLE events");
    await Bun.write(home.file("gate"), "");
    expect(await command.ended()).toBe(1);
    expect(command.screen.cursorShown).toBe(true);
  });

  test("Ctrl-Z gives the terminal back, and `fg` goes on with the view", async () => {
    await using home = new Home();
    await using command = new TerminalCommand(home, ["run", busy(home)]);
    await command.shows(/1 running/);
    command.type("\x1a");
    await eventually(
      () => command.screen.cursorShown,
      () => "the cursor is shown",
    );
    await command.stopped();
    command.signal("SIGCONT");
    await eventually(
      () => !command.screen.cursorShown,
      () => "the cursor is hidden",
    );
    await Bun.write(home.file("gate"), "");
    expect(await command.ended()).toBe(0);
    expect(command.screen.cursorShown).toBe(true);
  });

  test("a terminal that is stopped by Ctrl-S stops no session, and shows all of it afterwards", async () => {
    await using home = new Home();
    const tasks = [busy(home), "two", "three", "four"];
    await using command = new TerminalCommand(home, ["run", ...tasks, "--concurrency", "1"]);
    await command.shows(/1 running · 3 queued/);
    command.type("\x13");
    await Bun.write(home.file("gate"), "");
    using store = home.store();
    await eventually(
      () => store.list()[0]?.endedAt !== undefined,
      () => "the batch ends though its terminal stands still",
    );
    command.type("\x11");
    expect(await command.ended()).toBe(0);
    expect(command.screen.text.match(/^\d\/4 {2}task \d {2}succeeded/gm)).toHaveLength(4);
    expect(command.screen.text).toContain("All 4 tasks succeeded.");
    expect(command.screen.cursorShown).toBe(true);
  });

  for (const environment of [{ NO_COLOR: "1" }, { CI: "true" }, { TERM: "dumb" }]) {
    test(`plain lines with ${JSON.stringify(environment)}`, async () => {
      await using home = new Home();
      await using command = new TerminalCommand(home, ["run", "one", "two"], { environment });
      expect(await command.ended()).toBe(0);
      expect(command.screen.text).toContain("2/2");
      expect(command.written).not.toContain(`${esc}[?`);
      if (!("CI" in environment)) expect(command.written).not.toContain(esc);
    });
  }
});

describe("watch", () => {
  test("shows the batch of another process until it ends, with a bell", async () => {
    await using home = new Home();
    const batchId = await detached(home, ["quick", busy(home)]);
    await using command = new TerminalCommand(home, ["watch", batchId]);
    await command.shows(/ {2}2 +\d+ s {2}Read/);
    await command.shows(/task 1 {2}succeeded/);
    expect(command.screen.bells).toBe(0);
    await Bun.write(home.file("gate"), "");
    expect(await command.ended()).toBe(0);
    expect(command.screen.text).toContain(`Batch ${batchId}: All 2 tasks succeeded.`);
    expect(command.screen.bells).toBe(1);
    expect(command.screen.cursorShown).toBe(true);
    await home.empty();
  });

  test("Ctrl-C only leaves, and the batch goes on", async () => {
    await using home = new Home();
    const batchId = await detached(home, [busy(home)]);
    await using command = new TerminalCommand(home, ["watch", batchId]);
    await command.shows(/1 running/);
    command.type("\x03");
    expect(await command.ended()).toBe(130);
    expect(command.screen.text).toContain(`Batch ${batchId} continues in the background.`);
    expect(command.screen.cursorShown).toBe(true);
    await Bun.write(home.file("gate"), "");
    expect((await run(home, ["wait", batchId])).code).toBe(0);
  });

  test("Ctrl-C in `wait` only leaves too, and gives the terminal back", async () => {
    await using home = new Home();
    const batchId = await detached(home, [busy(home)]);
    await using command = new TerminalCommand(home, ["wait", batchId]);
    await command.shows(/1 running/);
    command.type("\x03");
    expect(await command.ended()).toBe(130);
    expect(command.screen.text).toContain("continues in the background");
    expect(command.screen.cursorShown).toBe(true);
    await Bun.write(home.file("gate"), "");
    expect((await run(home, ["wait", batchId])).code).toBe(0);
  });

  test("a hold is shown with its reason, for as long as it lasts", async () => {
    await using home = new Home();
    const batchId = await detached(home, [busy(home)]);
    await using command = new TerminalCommand(home, ["watch", batchId]);
    await command.shows(/1 running/);
    using store = home.store();
    const row = store.list()[0];
    if (!row) throw new Error("no batch");
    store.setHeld(row.batchId, { because: "the disk is nearly full" });
    await command.shows("Held: the disk is nearly full");
    store.setHeld(row.batchId, undefined);
    await eventually(
      () => !command.screen.text.includes("Held"),
      () => command.screen.text,
    );
    await Bun.write(home.file("gate"), "");
    expect(await command.ended()).toBe(0);
  });

  test("a batch that lost its processes is called interrupted, and is no success", async () => {
    await using home = new Home();
    const batchId = await detached(home, [busy(home)]);
    await untilRunning(home);
    await using command = new TerminalCommand(home, ["watch", batchId]);
    await command.shows(/1 running/);
    await kill(...(await untilKept(home)));
    expect(await command.ended()).toBe(1);
    expect(command.screen.text).toContain(`Batch ${batchId}: Interrupted: `);
  });

  test("piped, it prints a line for each task, and no escapes", async () => {
    await using home = new Home();
    // An ended batch is only summed up, so it ends once the command has begun to print.
    const gate = home.file("gate");
    const batchId = await detached(home, [`[[wait-for-file path=${gate}]]`, "[[max-turns]]"]);
    const watching = Bun.spawn([...program(), "watch", batchId], {
      cwd: home.work,
      env: home.environment,
      stdio: ["ignore", "pipe", "ignore"],
    });
    let out = "";
    for await (const text of watching.stdout.pipeThrough(new TextDecoderStream())) {
      out += text;
      await Bun.write(gate, "");
    }
    expect(await watching.exited).toBe(1);
    expect(out).toMatch(/^\d\/2 {2}task 1 {2}succeeded/m);
    expect(out).toContain(`Batch ${batchId}: All `);
    expect(out).not.toContain(esc);
  });

  test("--json prints lines, each the whole standing, the last one of the end", async () => {
    await using home = new Home();
    const started = home.file("started");
    const batchId = await detached(home, [`[[touch path=${started}]] ${busy(home)}`]);
    await eventually(
      () => existsSync(started),
      () => "it starts",
    );
    const watching = run(home, ["watch", batchId, "--json"]);
    await using waiting = new RunningCommand(home, ["wait", batchId]);
    await Bun.write(home.file("gate"), "");
    expect(await waiting.ended()).toBe(0);
    const { code, out } = await watching;
    const lines = out.trim().split("\n");
    expect(code).toBe(0);
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ batchId, totalTasks: 1 });
    expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ state: "finished", counts: { succeeded: 1 } });
  });
});
