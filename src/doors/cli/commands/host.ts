// `host`: machines of one's own.
import { product } from "../../../model/product.ts";
import { type HostOutput, hostActions, host as operation } from "../../../operations/host.ts";
import { bytesText } from "../../../report/amounts.ts";
import { harmless } from "../../../report/harmless.ts";
import { commandOf } from "../input/command.ts";
import { table } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

export const host = commandOf(operation, {
  name: "host",
  otherNames: ["hosts", "machines", "machine", "remote"],
  examples: [
    ["host add box1", "Add a machine that `ssh box1` reaches"],
    [`host add me@box2:2222 --executable ./${product.name}-linux-arm64`, "Add one of another kind"],
    ["host list", "Show what each machine runs"],
    ["host drain box1", "Give a machine no more tasks, such as before maintenance"],
  ],
  positionals: [
    {
      property: "action",
      placeholder: "ACTION",
      description: `One of ${hostActions.join(", ")} (default: list).`,
      required: false,
      many: false,
      isTask: false,
      choices: hostActions,
    },
    {
      property: "name",
      placeholder: "HOST",
      description: "The machine, as for ssh: `box1`, `me@box2:22`.",
      required: false,
      many: false,
      isTask: false,
    },
  ],
  alone: true,
  present: ({ hosts, findings, message }, { terminal: { out } }) =>
    [...(findings ? [checks(findings, out)] : hosts.length > 0 ? [machines(hosts, out)] : []), message].join(
      "\n",
    ),
  status: ({ ok }) => (ok ? 0 : 1),
});

function machines(hosts: HostOutput["hosts"], out: Terminal["out"]): string {
  const number = (value: number | undefined) => (value === undefined ? "–" : String(value));
  const rows = hosts.map(({ name, system, version, running, unread, bytes, problem, ...more }) => [
    name,
    system,
    version,
    number(running),
    more.slots === undefined ? number(more.sessions) : `${number(more.sessions)}/${more.slots}`,
    number(more.lastHour),
    number(unread),
    bytes === undefined ? "–" : bytesText(bytes),
    harmless([...(problem === undefined ? [] : [problem]), ...(more.waits ?? [])].join(" ")),
  ]);
  const columns = [
    { title: "HOST" },
    { title: "SYSTEM" },
    { title: "VERSION" },
    { title: "RUNNING", right: true },
    { title: "IN ALL", right: true },
    { title: "LAST HOUR", right: true },
    { title: "UNREAD", right: true },
    { title: "SIZE", right: true },
    { title: "" },
  ];
  return table(columns, rows, out);
}

function checks(findings: NonNullable<HostOutput["findings"]>, out: Terminal["out"]): string {
  return findings
    .map(({ name, ok, detail, remedy }) => {
      const word = ok ? out.paint("green", "ok  ") : out.paint("red", "FAIL");
      const text = [detail, ...(remedy === undefined ? [] : [`→ ${remedy}`])].join("\n");
      return `${word}  ${name}  ${harmless(text).replaceAll("\n", "\n      ")}`;
    })
    .join("\n");
}
