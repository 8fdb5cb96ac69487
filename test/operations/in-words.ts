// Faults as callers of the tools read them.
import type { Fault } from "../../src/operations/fault.ts";
import { faultText, toolWording } from "../../src/operations/fault-text.ts";

export function inWords(faults: readonly Fault[]): string[] {
  return faults.map((fault) => faultText(fault, toolWording));
}
