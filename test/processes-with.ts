// The living processes with a variable in their environment, on every system that shows it.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { commandOf } from "../src/platform/process-table.ts";
import { processes } from "../src/platform/processes/of-system.ts";
import { allProcesses, variableOf } from "../src/platform/windows/process-list.ts";

/** A process, and its command as the system shows it. */
export interface MarkedProcess {
  pid: number;
  command: string;
}

/** All processes that inherited the variable with this value, whoever their parent is; we not among them. */
export function processesWith(variable: string, value: string): MarkedProcess[] {
  return pidsWith(variable, value).flatMap((pid) => {
    if (pid === process.pid) return [];
    const command = commandOf(pid).join(" ");
    // Without one, it has ended.
    return command === "" ? [] : [{ pid, command }];
  });
}

// The program remembers who has no marker, and reads those no more. Here other variables are asked for.
function pidsWith(variable: string, value: string): number[] {
  switch (process.platform) {
    case "linux":
      return readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name) && environmentOf(name).includes(`${variable}=${value}\0`))
        .map(Number);
    case "win32":
      return (
        allProcesses()
          // The system starts one for each console, which ends with it, with the environment of its program.
          .filter(({ name }) => name !== "conhost.exe")
          .map(({ pid }) => pid)
          .filter((pid) => variableOf(pid, variable) === value)
      );
    default: {
      const found: number[] = [];
      processes().eachMarked(variable, new Set([value]), {
        marked: (_, pid) => void found.push(pid),
        missed: () => undefined,
      });
      return found;
    }
  }
}

// While a process becomes another program it shows neither environment nor command, which lasts long on a busy machine.
function environmentOf(pid: string): string {
  for (let looks = 0; looks < mostLooks; looks++) {
    const text = textOf(`/proc/${pid}/environ`);
    if (text !== "" || !isProgram(pid) || textOf(`/proc/${pid}/cmdline`) !== "") return text;
    Bun.sleepSync(1);
  }
  return "";
}

/** For how many milliseconds a process may become another program. */
const mostLooks = 10_000;

// Neither a thread of the kernel, nor one that has ended.
function isProgram(pid: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/exe`) !== "";
  } catch {
    return false;
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    // Gone between two looks.
    return "";
  }
}
