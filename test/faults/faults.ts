// Rounds of batches whose processes are killed at random. Run `bun run test:faults --rounds 50`; a round that went
// wrong is repeated with `--rounds 1 --seed N`.
import { parseArgs } from "node:util";
import { runApart, runsApart } from "./apart.ts";
import { runFleetRound } from "./fleet-round.ts";
import { runHostsRound } from "./hosts-round.ts";
import { type ReuseSessions, type Round, runRound } from "./round.ts";
import { isPossible, type Surroundings, surroundings } from "./surroundings.ts";
import type { Violation } from "./verdict.ts";
import { runWholeRound } from "./whole-round.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "10" },
    /** Of the first round; the next ones count up from it. */
    seed: { type: "string" },
    tasks: { type: "string", default: "200" },
    /** Faults in a round: at least, at most. */
    faults: { type: "string", default: "4-8" },
    /** What goes wrong around the processes; by default, each kind in turn. */
    around: { type: "string" },
    /** Whether a process may run several tasks: `auto` or `never`; by default, each in about half of the rounds. */
    "reuse-sessions": { type: "string" },
    /** Batches with all parts instead: template, sample, checks, reuse, summary. They have as many tasks as are drawn. */
    whole: { type: "boolean", default: false },
    /** Batches on a fleet instead: its Redis, its workers and its submitter are hit. */
    fleet: { type: "boolean", default: false },
    /** Batches on two machines instead: the lines to them, the keepers there and the submitter are hit. */
    hosts: { type: "boolean", default: false },
    /** Each machine of these two is a network namespace, and cables are hit, too. */
    namespaces: { type: "boolean", default: false },
  },
});

if (values.namespaces && !values.fleet && !values.hosts)
  throw new Error("--namespaces: only with --fleet or --hosts");
if (values.namespaces && !runsApart) process.exit(await runApart());

const rounds = Number(values.rounds);
const tasks = Number(values.tasks);
const first = Number(values.seed ?? crypto.getRandomValues(new Uint32Array(1))[0]) >>> 0;
const [least = 4, most = least] = values.faults.split("-").map(Number);

const kindsHere = surroundings.filter(
  (kind) => kind === values.around || (values.around === undefined && isPossible(kind)),
);
if (kindsHere.length === 0) throw new Error(`--around: expected one of ${surroundings.join(", ")}`);

const reuseSessions = reuseIn(values["reuse-sessions"]);
const kind = values.fleet ? "fleet" : values.hosts ? "hosts" : values.whole ? "whole" : "usual";

const found: Violation[] = [];
for (let index = 0; index < rounds; index++) {
  const seed = (first + index) >>> 0;
  const around = kind === "usual" ? (kindsHere[index % kindsHere.length] ?? "calm") : "calm";
  console.log(`round ${index + 1} of ${rounds}: seed ${seed}, ${around}`);
  const round = await runOne(seed, around);
  console.log(roundText(round, around));
  found.push(...round.violations);
}
const kinds = ["lost", "twice", "left", "stuck", "wrong"] as const;
const sums = kinds.map((kind) => `${found.filter((violation) => violation.kind === kind).length} ${kind}`);
console.log(`${rounds} rounds: ${sums.join(", ")}`);
process.exitCode = found.length > 0 ? 1 : 0;

function reuseIn(text: string | undefined): ReuseSessions | undefined {
  if (text === undefined || text === "auto" || text === "never") return text;
  throw new Error("--reuse-sessions: expected auto or never");
}

function runOne(seed: number, around: Surroundings): Promise<Round> {
  switch (kind) {
    case "fleet":
      return runFleetRound({ seed, tasks, least, most, isApart: runsApart });
    case "hosts":
      return runHostsRound({ seed, tasks, least, most, isApart: runsApart });
    case "whole":
      return runWholeRound({ seed, least, most, reuseSessions });
    case "usual":
      return runRound({ seed, tasks, least, most, around, reuseSessions });
  }
}

function roundText({ violations, seed, faults, kept, ...round }: Round, around: Surroundings): string {
  const figures = `${round.attempts} attempts, ${round.processes} processes (reuse: ${round.reuseSessions}), ${round.adoptions} adoptions, ${round.epochs} runners, ${round.doors} doors, ${round.interrupted} × interrupted, ${round.seconds.toFixed(1)} s`;
  const lines = [`  ${figures}`, ...faults.map((fault) => `  - ${fault}`)];
  for (const { kind, what } of violations) lines.push(`  VIOLATION ${kind}: ${what}`);
  if (violations.length > 0) {
    const what =
      kind === "usual"
        ? `--tasks ${tasks} --around "${around}"`
        : `--${kind} --tasks ${tasks}${values.namespaces ? " --namespaces" : ""}`;
    const repeat = `bun run test:faults --rounds 1 --seed ${seed} --faults ${least}-${most} --reuse-sessions ${round.reuseSessions} ${what}`;
    lines.push(`  Repeat with: ${repeat}`, `  What it left behind is in ${kept}`);
  }
  return lines.join("\n");
}
