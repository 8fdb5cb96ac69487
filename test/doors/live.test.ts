// The view of a batch that runs elsewhere, in a terminal of this process: `watch` and `wait`.
import { expect, test } from "bun:test";
import type { Snapshot } from "../../src/doors/cli/view/live-frame.ts";
import { LiveView } from "../../src/doors/cli/view/live-view.ts";
import { identityOf } from "../../src/platform/process.ts";
import { describeNeeding } from "../facilities.ts";
import { eventually } from "../harness.ts";
import { idle } from "../idle.ts";
import { failed, Inside, type TestBatch } from "../inside.ts";
import { inTerminal } from "./own-program.ts";
import { Command, OwnTerminal } from "./own-terminal.ts";

const cost = { usage: { costUsd: 0.25, numTurns: 1, durationMs: 1_000 } };
const hidden = "\x1b[?25l";
const shown = "\x1b[?25h";
const frames = (written: string) => written.split("\x1b[?2026h").length - 1;

const listeners = () =>
  ["SIGINT", "SIGTERM", "SIGHUP", "SIGWINCH", "SIGTSTP", "SIGCONT", "exit"].map((name) =>
    process.listenerCount(name),
  );

describeNeeding("Linux")("watch", () => {
  test("has a line for each running session, and at the end only what stays, with a bell", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: 3 }).start(1).start(2);
    context.store.setActivities(batch.log.batchId, new Map([[2, "Reads a.ts"]]));
    const before = listeners();
    await using command = new Command(inside, ["watch", "latest"]);
    const { terminal } = command;
    await terminal.shows(
      / {2}1 .*starts · task 1\n {2}2 .*Reads a\.ts · task 2\n.* 0\/3\n {2}2 running · 1 queued/,
    );
    expect(terminal.screen.text).toStartWith(`Batch ${batch.id}: 3 tasks, at most 2 at once.`);
    expect(terminal.screen.cursorShown).toBe(false);
    batch.answer(1, "yes", cost);
    await terminal.shows(
      /1\/3 {2}task 1 {2}succeeded .*task 1\n {2}2 .*\n.* 1\/3\n {2}1 running · 1 queued · 1 succeeded/,
    );
    context.store.setHeld(batch.log.batchId, { because: "the disk is nearly full" });
    await terminal.shows("Held: the disk is nearly full");
    context.store.setHeld(batch.log.batchId, undefined);
    context.store.setActivities(batch.log.batchId, new Map([[2, "Writes b.ts"]]));
    await terminal.shows("Writes b.ts");
    batch.answer(2, "yes", cost).answer(3, "yes", cost).finish();
    expect(await command.ended).toBe(0);
    const { text, cursorShown, bells } = terminal.screen;
    expect(text.match(/succeeded {2}/g)).toHaveLength(3);
    expect(text).toContain(`Batch ${batch.id}: All 3 tasks succeeded.`);
    expect(text).toContain(`Results are in ${inside.output}.`);
    for (const gone of ["running", "━", "Held", "Writes"]) expect(text).not.toContain(gone);
    expect({ cursorShown, bells }).toEqual({ cursorShown: true, bells: 1 });
    expect(listeners()).toEqual(before);
  });

  test("rings no bell where that is turned off", async () => {
    using inside = new Inside({ PARALLEL_CLAUDE_NOTIFICATIONS: "false" });
    inside.batch(inside.context()).answer(1, "yes").finish();
    await using command = new Command(inside, ["watch", "latest"]);
    expect(await command.ended).toBe(0);
    expect(command.terminal.screen.bells).toBe(0);
  });

  test("fits a terminal that is made narrower, wider and lower", async () => {
    using inside = new Inside();
    const tasks = [{ prompt: "long ".repeat(60) }, { prompt: "short" }];
    const batch = inside.batch(inside.context(), { tasks }).start(1).start(2);
    await using command = new Command(inside, ["watch", batch.id]);
    const { terminal } = command;
    await terminal.shows("2 running");
    for (const [columns, rows] of [
      [40, 24],
      [120, 40],
      [30, 6],
      [80, 24],
    ] as const) {
      terminal.resize(columns, rows);
      await eventually(
        () => {
          const { lines } = terminal.screen;
          const drawn = lines.slice(lines.findIndex((line) => /^ {2}1 /.test(line)));
          const bars = drawn.filter((line) => line.endsWith(" 0/2"));
          return bars.length === 1 && drawn.every((line) => Bun.stringWidth(line) < columns);
        },
        () => `a frame fits ${columns} columns, but\n${terminal.screen.text}`,
      );
    }
    batch.answer(1, "yes").answer(2, "yes").finish();
    expect(await command.ended).toBe(0);
    expect(terminal.screen.text).not.toContain(" 0/2");
  });

  for (const [signal, status] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)
    for (const name of ["watch", "wait"])
      test(`${signal} only leaves \`${name}\`, with its status, and gives the terminal back`, async () => {
        using inside = new Inside();
        const batch = inside.batch(inside.context()).start(1);
        await using command = new Command(inside, [name, batch.id]);
        await command.terminal.shows("1 running");
        command.signal(signal);
        expect(await command.ended).toBe(status);
        expect(command.terminal.screen.text).toContain(`Batch ${batch.id} continues in the background. `);
        expect(command.terminal.screen.text).not.toContain("1 running ·");
        expect(command.terminal.screen).toMatchObject({ cursorShown: true, bells: 0 });
        batch.log.refresh();
        expect(batch.log.state).not.toHaveProperty("cancelledBy");
      });

  test("lists what had ended before, or says how many that are", async () => {
    using inside = new Inside();
    const watched = async (batch: TestBatch) => {
      await using command = new Command(inside, ["watch", batch.id], { columns: 120, rows: 50 });
      await command.terminal.shows("1 running");
      command.signal("SIGINT");
      await command.ended;
      return command.terminal.screen.text;
    };
    const after = (count: number) => {
      const batch = inside.batch(inside.context(), { tasks: count + 1 });
      for (let task = 1; task <= count; task++) batch.answer(task, "yes");
      return batch.start(count + 1);
    };
    const few = await watched(after(20));
    expect(few.match(/succeeded {2}/g)).toHaveLength(20);
    expect(few).not.toContain("ended earlier");
    const many = after(21);
    const text = await watched(many);
    expect(text).toContain(
      `21 of 22 tasks ended earlier: \`parallel-claude-code-mcp show ${many.id}\` lists them.`,
    );
    expect(text).not.toMatch(/succeeded {2}/);
  });

  test("ends with a batch that loses its processes, and calls it interrupted", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: 2, isRun: false });
    const runner = Bun.spawn(idle);
    const identity = identityOf(runner.pid);
    if (!identity) throw new Error("no runner");
    batch.log.takeOver(identity);
    await using command = new Command(inside, ["watch", batch.id]);
    await command.terminal.shows("2 queued");
    runner.kill("SIGKILL");
    expect(await command.ended).toBe(1);
    expect(command.terminal.screen.text).toContain(`Batch ${batch.id}: Interrupted: `);
  });

  test("gives the terminal back for as long as Ctrl-Z stops it, and when it crashes", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: 2 }).start(1);
    await using command = inTerminal(inside, ["watch", batch.id]);
    await command.shows("1 running");
    command.type("\x1a");
    await eventually(
      () => command.screen.cursorShown && !command.screen.text.includes("1 running"),
      () => `the terminal is given back, but\n${command.screen.text}`,
    );
    await command.stopped();
    command.signal("SIGCONT");
    await command.shows("1 running");
    expect(command.screen.cursorShown).toBe(false);
    // Nothing of ours can go on without its store.
    context.store.database.run("DROP TABLE events");
    expect(await command.ended()).toBe(1);
    expect(command.screen.cursorShown).toBe(true);
  });

  test("of a batch that has ended says only how", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: 2 }).answer(1, "yes").end(2, failed).finish();
    await using command = new Command(inside, ["watch", batch.id]);
    expect(await command.ended).toBe(1);
    const { text } = command.terminal.screen;
    expect(text).toContain(`Batch ${batch.id}: All 2 tasks ended: 1 succeeded, 1 failed.`);
    expect(text).not.toContain("ended earlier");
    expect(text).not.toMatch(/task 1 {2}succeeded/);
  });

  test("piped, prints a line for each task that ends, and draws nothing", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: 2 }).answer(1, "yes").start(2);
    await using command = new Command(inside, ["watch", batch.id], { isPiped: true });
    await command.prints("task 1  succeeded");
    batch.end(2, failed).finish();
    expect(await command.ended).toBe(1);
    expect(command.terminal.screen.text).toBe("");
    const { out } = command;
    expect(out).toMatch(/^1\/2 {2}task 1 {2}succeeded .*\n2\/2 {2}task 2 {2}.*\n {4}Reached its turn limit/m);
    expect(out).not.toContain("\x1b");
  });
});

describeNeeding("Linux")("the view", () => {
  function snapshot(inside: Inside): Snapshot {
    const { state } = inside.batch(inside.context(), { tasks: 2 }).start(1).log;
    return { state, activities: new Map([[1, "Reads a.ts"]]), now: state.createdAt + 1_000 };
  }

  test("draws a frame once, as one piece, and again only where something has changed", async () => {
    using inside = new Inside();
    using terminal = new OwnTerminal();
    const seen = snapshot(inside);
    const view = new LiveView(terminal.printer, () => seen);
    await terminal.shows("1 running");
    for (let again = 0; again < 3; again++) {
      process.emit("SIGWINCH");
      await terminal.settled();
    }
    expect(frames(terminal.written)).toBe(1);
    const [, frame = ""] = terminal.written.split("\x1b[?2026h");
    expect(frame.indexOf("1 running")).toBeLessThan(frame.indexOf("\x1b[?2026l"));
    seen.activities = new Map([[1, "Writes b.ts"]]);
    process.emit("SIGWINCH");
    await terminal.shows("Writes b.ts");
    expect(frames(terminal.written)).toBe(2);
    expect(terminal.screen.text.match(/1 running/g)).toHaveLength(1);
    await view.end();
  });

  test("keeps what is said above it, in the order it was said, also after its end", async () => {
    using inside = new Inside();
    using terminal = new OwnTerminal();
    const seen = snapshot(inside);
    const view = new LiveView(terminal.printer, () => seen);
    view.say("first");
    await terminal.shows(/^first\n.*Reads a\.ts/);
    view.say(`${"second ".repeat(20)}\x1b[2J`);
    await terminal.shows(/^first\n(?: {2})?second (?:second|\s)*.*\n.*Reads a\.ts/);
    expect(terminal.written).not.toContain("\x1b[2J");
    expect(terminal.screen.text.match(/Reads/g)).toHaveLength(1);
    await view.end();
    await terminal.settled();
    expect(terminal.screen.text).not.toContain("Reads");
    expect(terminal.screen.cursorShown).toBe(true);
    const end = terminal.written;
    await view.end();
    process.emit("SIGWINCH");
    await terminal.settled();
    expect(terminal.written.slice(end.length)).not.toMatch(/\?25|\?2026/);
    view.say("afterwards");
    await terminal.shows(/second\n+afterwards$/);
    expect(frames(terminal.written.slice(end.length))).toBe(0);
  });

  test("hides the cursor and draws anew when its process goes on after a stop", async () => {
    using inside = new Inside();
    using terminal = new OwnTerminal();
    const seen = snapshot(inside);
    const view = new LiveView(terminal.printer, () => seen);
    await terminal.shows("1 running");
    const before = terminal.written.length;
    await terminal.printer.write("\r\nfg\r\n");
    process.emit("SIGCONT");
    await terminal.settled();
    expect(terminal.written.slice(before)).toContain(hidden);
    await terminal.shows(/fg\n.*Reads a\.ts/);
    await view.end();
  });

  test("stands still while its batch cannot be read, and goes on then", async () => {
    using inside = new Inside();
    using terminal = new OwnTerminal();
    const seen = snapshot(inside);
    let isReadable = false;
    const view = new LiveView(terminal.printer, () => {
      if (!isReadable) throw new Error("database is locked");
      return seen;
    });
    process.emit("SIGWINCH");
    await terminal.settled();
    expect(frames(terminal.written)).toBe(0);
    isReadable = true;
    await terminal.shows("1 running");
    await view.end();
    await terminal.settled();
    expect(terminal.written).toContain(shown);
  });
});

describeNeeding("Linux")("wait", () => {
  test("shows what runs, and rings at the end", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: 2 }).start(1);
    await using command = new Command(inside, ["wait", batch.id]);
    await command.terminal.shows("1 running · 1 queued");
    batch.answer(1, "yes").answer(2, "no").finish();
    expect(await command.ended).toBe(0);
    expect(command.terminal.screen.text).toContain("All 2 tasks succeeded.");
    expect(command.terminal.screen.bells).toBe(1);
  });

  test("with --json keeps standard output for the end", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: 2 }).answer(1, "yes").start(2);
    await using command = new Command(inside, ["wait", batch.id, "--json"], { isPiped: true });
    await command.terminal.shows("1 running · 1 succeeded");
    expect(command.out).toBe("");
    batch.answer(2, "yes").finish();
    expect(await command.ended).toBe(0);
    expect(JSON.parse(command.out)).toMatchObject({ batchId: batch.id, state: "finished" });
    expect(command.terminal.screen.text).toMatch(
      /^1\/2 {2}task 1 {2}succeeded .*\n2\/2 {2}task 2 {2}succeeded/,
    );
    expect(command.terminal.screen.bells).toBe(0);
  });
});

describeNeeding("Linux")("watch --json", () => {
  test("has a line at the beginning, at each change, and at the end", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: 2 }).start(1);
    await using command = new Command(inside, ["watch", batch.id, "--json"], { isPiped: true });
    const standings = () =>
      command.out
        .split("\n")
        .flatMap((line) => (line.endsWith("}") ? [JSON.parse(line)] : []))
        .map(({ state, counts, running }) => [state, counts.succeeded, running?.[0]?.activity]);
    await command.prints('"running":[');
    context.store.setActivities(batch.log.batchId, new Map([[1, "Reads a.ts"]]));
    await command.prints("Reads a.ts");
    batch.answer(1, "yes");
    await command.prints('"succeeded":1');
    batch.answer(2, "yes").finish();
    expect(await command.ended).toBe(0);
    expect(standings()).toEqual([
      ["running", 0, undefined],
      ["running", 0, "Reads a.ts"],
      ["running", 1, undefined],
      ["finished", 2, undefined],
    ]);
    expect(command.terminal.written).not.toMatch(/[^\x1b[01m]/);
  });

  test("says nothing more when one leaves", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context()).start(1);
    await using command = new Command(inside, ["watch", batch.id, "--json"], { isPiped: true });
    await command.prints('"running":[');
    command.signal("SIGTERM");
    expect(await command.ended).toBe(143);
    expect(command.out.trimEnd().split("\n")).toHaveLength(1);
  });
});
