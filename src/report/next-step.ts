// The next step in the words of a door: a tool to call, or a command to run.
import { product } from "../model/product.ts";
import type { NextStep } from "../model/prose.ts";
import { unreachable } from "../model/unreachable.ts";
import type { Door } from "./option-words.ts";

/** The tool with its arguments, or the command in backticks: the subject of a sentence, or its object. */
export function stepText(door: Door, step: NextStep): string {
  return door === "tools" ? toolText(step) : `\`${product.name} ${commandText(step)}\``;
}

function toolText(step: NextStep): string {
  switch (step.do) {
    case "list":
      return "list_batches";
    case "look":
      return `wait_for_batch (batchId ${step.batchId})`;
    case "retry":
      return `retry_batch (batchId ${step.batchId})`;
    case "continue":
      return `continue_batch (batchId ${step.batchId})`;
    case "cancel":
      return `cancel_batch (batchId ${step.batchId})`;
    case "read-errors":
      return `read_batch_results (batchId ${step.batchId}, status "error")`;
    case "read-on":
      return `read_batch_results (batchId ${step.batchId}, tasks [${step.task}], from ${step.from ?? 0})`;
    default:
      return unreachable(step);
  }
}

function commandText(step: NextStep): string {
  switch (step.do) {
    case "list":
      return "list";
    case "look":
      return `show ${step.batchId}`;
    case "retry":
      return `retry ${step.batchId}`;
    case "continue":
      return `continue ${step.batchId}`;
    case "cancel":
      return `cancel ${step.batchId}`;
    case "read-errors":
      return `show ${step.batchId}${step.whole ? " --json" : ""}`;
    case "read-on":
      return `results ${step.batchId} ${step.task}${step.from === undefined ? "" : ` --from ${step.from}`}`;
    default:
      return unreachable(step);
  }
}
