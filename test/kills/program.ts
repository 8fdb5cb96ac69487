// The program from its source, whose processes kill themselves at points that a test names: `KILLS` has them (`kill.ts`), and
// `KILL_MARKS` a folder in which each leaves a file, so that the next process goes on there. A command waits at the gate
// `COMMAND_GATE` between what it has planned and what it writes into the log.
import { mock } from "bun:test";
import { closeSync, existsSync, openSync } from "node:fs";
import { basename, join } from "node:path";
import { hiddenCommands } from "../../src/engine/runner/hidden-commands.ts";
import type { EventBody } from "../../src/model/event.ts";
import * as privateFiles from "../../src/platform/private-files.ts";
import * as whole from "../../src/platform/whole-files.ts";
import { BatchLog } from "../../src/store/batch-log.ts";
import { RememberedAnswers } from "../../src/store/remembered.ts";
import { Store } from "../../src/store/store.ts";
import { killsIn } from "./kill.ts";

const kills = killsIn(process.env["KILLS"]);
const marks = process.env["KILL_MARKS"] ?? "";

/** Kills this process if this is a point where one is to be killed, and nobody was so far. */
function at(point: string): void {
  const kill = kills.find((one) => one.at === point);
  if (!kill || !isFirst(point)) return;
  // A runner's parent is its keeper; of others it is anybody.
  if (kill.keeper && process.argv[2] === hiddenCommands.runner && process.ppid > 1)
    process.kill(process.ppid, "SIGKILL");
  process.kill(process.pid, "SIGKILL");
}

function isFirst(point: string): boolean {
  try {
    closeSync(openSync(join(marks, point), "wx"));
    return true;
  } catch {
    return false;
  }
}

function isDue(point: string): boolean {
  return kills.some((one) => one.at === point) && !existsSync(join(marks, point));
}

// Points of the log: `before TYPE`, inside of the transaction, and `after TYPE`; for what concerns a task, also with its number, and
// with that of the attempt.
function atEvents(when: "before" | "after", events: readonly EventBody[]): void {
  for (const event of events) {
    at(`${when} ${event.type}`);
    if ("task" in event) at(`${when} ${event.type} ${event.task}`);
    if ("attempt" in event) at(`${when} ${event.type} ${event.task}.${event.attempt}`);
  }
}

const { append, takeOver } = BatchLog.prototype;
BatchLog.prototype.append = function (this: BatchLog, decide, epoch) {
  const decided: typeof decide = (state) => {
    const events = decide(state);
    atEvents("before", events);
    return events;
  };
  const events = append.call(this, decided, epoch);
  atEvents("after", events);
  return events;
};
BatchLog.prototype.takeOver = function (this: BatchLog, identity) {
  const epoch = takeOver.call(this, identity);
  at(`after runner ${epoch}`);
  return epoch;
};

const { create, claimKeeper } = Store.prototype;
Store.prototype.create = function (this: Store, body, now) {
  at("before batch-created");
  const log = create.call(this, body, now);
  at("after batch-created");
  return log;
};
Store.prototype.claimKeeper = function (this: Store, batchId, keeper) {
  const isOurs = claimKeeper.call(this, batchId, keeper);
  at("after keeper");
  return isOurs;
};

const { answersTo, add, used } = RememberedAnswers.prototype;
RememberedAnswers.prototype.answersTo = function (this: RememberedAnswers, key, usedSince) {
  // While an answer is added, its transcript has its second name, and its row is not there yet.
  at(usedSince === 0 ? "between transcript and row of an answer" : "in a look-up");
  return answersTo.call(this, key, usedSince);
};
RememberedAnswers.prototype.add = function (this: RememberedAnswers, ...answer) {
  at("before an answer is remembered");
  const isKept = add.apply(this, answer);
  at("after an answer is remembered");
  return isKept;
};
RememberedAnswers.prototype.used = function (this: RememberedAnswers, ids, now) {
  at("before use is noted");
  used.call(this, ids, now);
};

/** A file by what it is: `results.csv`, `summary.json`, `result.html`. */
function kindOf(path: string): string {
  const [first = ""] = basename(path).split("-");
  return `${first.split(".")[0]}.${path.split(".").at(-1)}`;
}

const { replaceFile, placeNewFile, appendText } = whole;
mock.module("../../src/platform/whole-files.ts", () => ({
  ...whole,
  async replaceFile(path: string, contents: Parameters<typeof replaceFile>[1], how = {}): Promise<void> {
    const half = `in ${kindOf(path)}`;
    await replaceFile(path, isDue(half) ? killedIn(half, contents) : contents, how);
    at(`after ${kindOf(path)}`);
  },
  async placeNewFile(path: string, text: string, how = {}): Promise<boolean> {
    const half = `in ${kindOf(path)}`;
    if (isDue(half)) await replaceFile(path, killedIn(half, text), how);
    return placeNewFile(path, text, how);
  },
  async appendText(path: string, text: string): Promise<void> {
    const half = `in ${kindOf(path)}`;
    if (isDue(half)) {
      await appendText(path, text.slice(0, text.length / 2));
      at(half);
    }
    await appendText(path, text);
  },
}));

// Its beginning is in the file beside by then, which has not been renamed.
async function* killedIn(point: string, contents: Parameters<typeof replaceFile>[1]): AsyncGenerator<string> {
  if (contents instanceof Uint8Array) throw new Error("Nothing of the kind is written as bytes");
  const text = typeof contents === "string" ? contents : (await Array.fromAsync(contents)).join("");
  // More than is collected before it is written.
  yield text.slice(0, text.length / 2).padEnd(600_000);
  at(point);
  yield "";
}

// A runner writes such files as well, and has the environment of the command.
const isCommand = !Object.values<string>(hiddenCommands).includes(process.argv[2] ?? "");
const gate = isCommand ? process.env["COMMAND_GATE"] : undefined;
const { writePrivateFiles } = privateFiles;
mock.module("../../src/platform/private-files.ts", () => ({
  ...privateFiles,
  async writePrivateFiles(...files: Parameters<typeof writePrivateFiles>): Promise<void> {
    if (gate !== undefined) await passed(gate);
    await writePrivateFiles(...files);
  },
}));

async function passed(path: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  await Bun.connect({
    unix: path,
    socket: { open: (socket) => void socket.write("here"), data: () => undefined, close: () => resolve() },
  });
  await promise;
}

await import("../../src/main.ts");
