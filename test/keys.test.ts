// The keys of a live view, in a real terminal: what they do to the batch, and that the terminal is given back.
import { expect, setDefaultTimeout } from "bun:test";
import { testNeeding } from "./facilities.ts";
import { asked } from "./fake-notes.ts";
import { Home, program, run } from "./harness.ts";
import { TerminalCommand } from "./pty-harness.ts";
import { newestRow, untilAsked, untilRunning } from "./running.ts";

setDefaultTimeout(120_000);

const testInTerminal = testNeeding("a terminal of one's own");
const size = { columns: 120, rows: 40 };
const busy = (home: Home) => `[[wait-for-file path=${home.file("gate")}]] [[answer text=ok]]`;

/** A command in a shell, which says afterwards how the terminal was left. */
function inShell(home: Home, ...words: string[]): TerminalCommand {
  const script = `trap : INT QUIT; ulimit -c 0; "$@"; echo "status $?"; stty -a | tr ' ;' '\\n\\n' | grep -xE -- '-?(icanon|echo)'; echo over`;
  return new TerminalCommand(home, [...program(), ...words], {
    ...size,
    command: ["sh", "-c", script, "sh"],
  });
}

/** Whether its terminal shows what is typed, and gathers lines. */
async function modesOf({ pid }: TerminalCommand): Promise<string[]> {
  const script = `stty -a < "/dev/$(ps -o tty= -p ${pid} | tr -d ' ')"`;
  const text = await Bun.spawn(["sh", "-c", script], { stdout: "pipe", stderr: "inherit" }).stdout.text();
  return (text.match(/(?<=^|[\s;])-?(icanon|echo)(?=[\s;]|$)/g) ?? []).toSorted();
}

testInTerminal(
  "in `run`, keys pause the batch and let it go on, change the number, open the page, and cancel it after a question",
  async () => {
    await using home = new Home();
    await using command = new TerminalCommand(
      home,
      ["run", "--concurrency", "1", ...Array(4).fill(busy(home))],
      size,
    );
    await command.shows("? shows the keys");
    await command.shows(/1 running · 3 queued/);
    command.type("?");
    await command.shows("Enter opens the page");
    command.type("?");
    await command.shows("? shows the keys");
    command.type("p");
    await command.shows("Paused: no more sessions start");
    await command.shows("Held: Paused by the user.");
    command.type("p");
    await command.shows("The batch goes on.");
    command.type("+");
    await command.shows("At most 2 at once from now on.");
    await command.shows(/2 running · 2 queued/);
    await untilAsked(home, 2);
    command.type("-");
    await command.shows("At most 1 at once from now on.");
    command.type("-");
    await command.shows("At most 1 at once: fewer is a pause, with p.");
    command.type("r");
    await command.shows("none of its tasks has failed");
    command.type("\r");
    await command.shows(/page was not opened: there is no desktop here\. It is .*report-/);
    // Whoever types on has not read the question.
    command.type("cy");
    await command.shows("Cancel the batch? y cancels it");
    command.type("n");
    await command.shows("? shows the keys");
    command.type("c");
    await command.shows("Cancel the batch? y cancels it");
    command.type("y");
    expect(await command.ended()).toBe(1);
    expect(newestRow(home)).toMatchObject({ cancelledBy: "user", counts: { cancelled: 4 } });
    expect(asked(home)).toHaveLength(2);
    await home.empty();
  },
);

testInTerminal(
  "in `watch`, keys do the same to a batch that runs elsewhere, and a pause at rest asks for the rest",
  async () => {
    await using home = new Home();
    await run(home, ["run", "--detach", "--concurrency", "1", ...Array(2).fill(busy(home))]);
    await untilRunning(home);
    await using command = new TerminalCommand(home, ["watch"], size);
    await command.shows("? shows the keys");
    command.type("p");
    await command.shows("Held: Paused by the user.");
    await Bun.write(home.file("gate"), "");
    await command.shows("Run the rest now? [y/N]");
    command.type("y\n");
    expect(await command.ended()).toBe(0);
    expect(command.screen.text).toContain("All 2 tasks succeeded.");
  },
);

for (const [name, end, status] of [
  ["its end", (home: Home) => Bun.write(home.file("gate"), ""), 0],
  ["Ctrl-C", (_: Home, command: TerminalCommand) => command.type("\x03"), 130],
  ["Ctrl-\\", (_: Home, command: TerminalCommand) => command.type("\x1c"), 131],
  [
    "a crash",
    async (home: Home) => {
      using store = home.store();
      store.database.run("DROP TABLE events");
      await Bun.write(home.file("gate"), "");
    },
    1,
  ],
] as const)
  testInTerminal(`after ${name}, the terminal shows what is typed again, line by line`, async () => {
    await using home = new Home();
    await using command = inShell(home, "run", busy(home));
    await command.shows("? shows the keys");
    await untilRunning(home);
    await end(home, command);
    await command.shows("over");
    expect(command.screen.text).toContain(`status ${status}\nicanon\necho\nover`);
  });

testInTerminal(
  "while it is stopped by Ctrl-Z, the terminal is as before, and keys work again after `fg`",
  async () => {
    await using home = new Home();
    await using command = new TerminalCommand(home, ["run", busy(home)], size);
    await command.shows("? shows the keys");
    expect(await modesOf(command)).toEqual(["-echo", "-icanon"]);
    command.type("\x1a");
    await command.stopped();
    expect(await modesOf(command)).toEqual(["echo", "icanon"]);
    command.signal("SIGCONT");
    command.type("?");
    await command.shows("Enter opens the page");
    await Bun.write(home.file("gate"), "");
    expect(await command.ended()).toBe(0);
  },
);

testInTerminal(
  "a command whose input is no terminal, or that is drawn into a pipe, has no keys",
  async () => {
    await using home = new Home();
    const words = [...program(), "run", busy(home)];
    const command = ["sh", "-c", '"$@" < /dev/null', "sh"];
    await using drawn = new TerminalCommand(home, words, { ...size, command });
    await drawn.shows(/1 running/);
    await Bun.write(home.file("gate"), "");
    expect(await drawn.ended()).toBe(0);
    expect(drawn.written).not.toContain("shows the keys");
  },
);
