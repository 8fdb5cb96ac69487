// Loads commands by their names: each only when somebody writes it, because most need far more than help does.
import type { Command } from "./input/command.ts";

/** How each command is loaded, in the order in which help lists them. */
export const loadCommand = {
  run: async () => (await import("./commands/run.ts")).run,
  "run-task": async () => (await import("./commands/run-task.ts")).runTask,
  worker: async () => (await import("./commands/worker.ts")).worker,
  list: async () => (await import("./commands/list.ts")).list,
  show: async () => (await import("./commands/show.ts")).show,
  watch: async () => (await import("./commands/watch.ts")).watch,
  wait: async () => (await import("./commands/wait.ts")).wait,
  results: async () => (await import("./commands/results.ts")).results,
  export: async () => (await import("./commands/export.ts")).exportCommand,
  logs: async () => (await import("./commands/logs.ts")).logs,
  open: async () => (await import("./commands/open.ts")).open,
  ui: async () => (await import("./commands/ui.ts")).ui,
  compare: async () => (await import("./commands/compare.ts")).compare,
  spend: async () => (await import("./commands/spend.ts")).spend,
  failures: async () => (await import("./commands/failures.ts")).failures,
  metrics: async () => (await import("./commands/metrics.ts")).metrics,
  cancel: async () => (await import("./commands/cancel.ts")).cancel,
  change: async () => (await import("./commands/change.ts")).change,
  retry: async () => (await import("./commands/retry.ts")).retry,
  continue: async () => (await import("./commands/continue.ts")).continueCommand,
  summarize: async () => (await import("./commands/summarize.ts")).summarize,
  schedule: async () => (await import("./commands/schedule.ts")).scheduleOf(commandNamed),
  prune: async () => (await import("./commands/prune.ts")).prune,
  doctor: async () => (await import("./commands/doctor.ts")).doctor,
  fleet: async () => (await import("./commands/fleet.ts")).fleet,
  install: async () => (await import("./commands/install.ts")).install,
  uninstall: async () => (await import("./commands/install.ts")).uninstall,
  host: async () => (await import("./commands/host.ts")).host,
  config: async () => (await import("./commands/config.ts")).config,
  "self-update": async () => (await import("./commands/self-update.ts")).selfUpdate,
  completions: async () => (await import("./commands/completions.ts")).completions,
  serve: async () => (await import("./commands/serve.ts")).serve,
} satisfies Record<string, () => Promise<Command>>;
export type CommandName = keyof typeof loadCommand;

// `schedule` checks the command line that it is given.
async function commandNamed(name: string): Promise<Command | undefined> {
  return isCommand(name) ? loadCommand[name]() : undefined;
}

/** Whether there is such a command. */
export function isCommand(name: string): name is CommandName {
  return Object.hasOwn(loadCommand, name);
}
