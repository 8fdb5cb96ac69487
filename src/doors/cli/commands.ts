// All commands, in the order in which help lists them.
import { cancel } from "./commands/cancel.ts";
import { compare } from "./commands/compare.ts";
import { completions } from "./commands/completions.ts";
import { config } from "./commands/config.ts";
import { continueCommand } from "./commands/continue.ts";
import { doctor } from "./commands/doctor.ts";
import { exportCommand } from "./commands/export.ts";
import { install, uninstall } from "./commands/install.ts";
import { list } from "./commands/list.ts";
import { logs } from "./commands/logs.ts";
import { open } from "./commands/open.ts";
import { prune } from "./commands/prune.ts";
import { results } from "./commands/results.ts";
import { retry } from "./commands/retry.ts";
import { run } from "./commands/run.ts";
import { serve } from "./commands/serve.ts";
import { show } from "./commands/show.ts";
import { summarize } from "./commands/summarize.ts";
import { wait } from "./commands/wait.ts";
import { watch } from "./commands/watch.ts";
import type { Command } from "./input/command.ts";

export const commands: readonly Command[] = [
  run,
  list,
  show,
  watch,
  wait,
  results,
  exportCommand,
  logs,
  open,
  compare,
  cancel,
  retry,
  continueCommand,
  summarize,
  prune,
  doctor,
  install,
  uninstall,
  config,
  completions,
  serve,
];
