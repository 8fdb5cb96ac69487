// `fleet`: the machines of a fleet, what they run, what waits, and which are out of service.
import { fleetActions, fleet as operation } from "../../../operations/fleet.ts";
import type { FleetQueue } from "../../../operations/fleet-status.ts";
import { countText, durationText, numberText, roughText } from "../../../report/amounts.ts";
import { oneLine } from "../../../report/harmless.ts";
import { commandOf } from "../input/command.ts";
import { table } from "../terminal/table.ts";
import type { Printer } from "../terminal/terminal.ts";

export const fleet = commandOf(operation, {
  name: "fleet",
  otherNames: ["workers", "cluster"],
  examples: [
    ["fleet status", "Show the workers of all fleets, and what they run"],
    ["fleet status team --json", "Show one fleet as JSON"],
    ["fleet drain team box-1", "Give a worker no more tasks, such as before maintenance"],
    ["fleet resume team box-1", "Give it tasks again"],
  ],
  positionals: [
    {
      property: "action",
      placeholder: "ACTION",
      description: `One of ${fleetActions.join(", ")}.`,
      required: true,
      many: false,
      isTask: false,
      choices: fleetActions,
    },
    {
      property: "fleet",
      placeholder: "NAME",
      description: "Only this fleet.",
      required: false,
      many: false,
      isTask: false,
    },
    {
      property: "worker",
      placeholder: "WORKER",
      description: "With `drain` and `resume`: the name of the worker (default: all of the fleet).",
      required: false,
      many: false,
      isTask: false,
    },
  ],
  alone: true,
  present: ({ queues, unreachable, message }, { terminal: { out } }) =>
    [
      ...(message === undefined ? [] : [message]),
      ...queues.map((queue) => queueText(queue, out)),
      ...unreachable.map(({ fleet, message }) => out.paint("red", `${fleet}: ${oneLine(message, 1_000)}`)),
    ].join("\n\n"),
  status: ({ unreachable }) => (unreachable.length === 0 ? 0 : 1),
});

function queueText(queue: FleetQueue, out: Printer): string {
  const { fleet, waiting, delayed, running, endedLastMinute, limitedSeconds, workers, tasks } = queue;
  const counts = [
    `${countText(running, "task runs", "tasks run")}`,
    `${waiting} waiting`,
    ...(delayed > 0 ? [`${delayed} to be tried again later`] : []),
    `${endedLastMinute} ended in the last minute`,
  ];
  const limit =
    limitedSeconds === undefined
      ? []
      : [
          out.paint(
            "yellow",
            `The account has reached a limit: no task starts for ${durationText(limitedSeconds * 1_000)}.`,
          ),
        ];
  const none = waiting + delayed > 0 ? "No worker is there, so nothing starts." : "No worker is there.";
  return [
    `Fleet ${fleet}: ${counts.join(", ")}.`,
    ...limit,
    workers.length === 0 ? out.paint("yellow", none) : workersText(workers, out),
    ...absentText(queue),
    ...(tasks.length === 0 ? [] : ["", tasksText(queue, out)]),
  ].join("\n");
}

// One that comes back takes no tasks, which its user may have forgotten.
function absentText({ workers, drained }: FleetQueue): string[] {
  const there = new Set(workers.map(({ name }) => name));
  const absent = drained.filter((name) => !there.has(name)).map((name) => oneLine(name, 60));
  return absent.length === 0 ? [] : [`Out of service, and not there: ${absent.join(", ")}.`];
}

function workersText(workers: FleetQueue["workers"], out: Printer): string {
  const columns = [
    { title: "WORKER" },
    { title: "STATE" },
    { title: "TASKS", right: true },
    { title: "LAST HOUR", right: true },
    { title: "VERSION" },
    {},
  ];
  const rows = workers.map((worker) => [
    oneLine(worker.name, 60),
    isAway(worker) ? out.paint("yellow", worker.state) : worker.state,
    `${worker.running}/${worker.slots}`,
    worker.endedLastHour === undefined ? "–" : numberText(worker.endedLastHour),
    oneLine(worker.version, 20),
    worker.state === "silent"
      ? `for ${roughText(worker.silentSeconds * 1_000)}`
      : oneLine(worker.heldBecause ?? "", 200),
  ]);
  return table(columns, rows, out);
}

function isAway({ state }: FleetQueue["workers"][number]): boolean {
  return state === "silent" || state === "held" || state === "drained";
}

function tasksText({ tasks, running }: FleetQueue, out: Printer): string {
  const columns = [{ title: "TASK" }, { title: "WORKER" }, { title: "FOR", right: true }, { title: "DOES" }];
  const rows = tasks.map(({ id, worker, activity, runningSeconds }) => [
    oneLine(id, 60),
    worker === undefined ? "–" : oneLine(worker, 60),
    runningSeconds === undefined ? "–" : durationText(runningSeconds * 1_000),
    oneLine(activity ?? "", 200),
  ]);
  const more = running > tasks.length ? `\n… and ${countText(running - tasks.length, "more", "more")}.` : "";
  return `${table(columns, rows, out)}${more}`;
}
