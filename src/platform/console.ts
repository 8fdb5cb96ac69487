// Whether a terminal understands escape sequences. All do, except consoles of Windows that are old or set to be so.
import { dlopen } from "bun:ffi";

/** Whether escapes written to a descriptor (1 or 2) that is a terminal take effect. On Windows, turns that on if it is off. */
export function understandsEscapes(descriptor: number): boolean {
  if (process.platform !== "win32") return true;
  return turnOnEscapes(calls().GetStdHandle(descriptor === 2 ? standardError : standardOutput));
}

const standardOutput = -11;
const standardError = -12;
const virtualTerminal = 0x0004;

/** Turns on escapes in the console of a handle. False if it understands none, or is no console. Windows. */
export function turnOnEscapes(handle: bigint): boolean {
  const mode = new Uint32Array(1);
  if (calls().GetConsoleMode(handle, mode) === 0) return false;
  const [now = 0] = mode;
  return (now & virtualTerminal) !== 0 || calls().SetConsoleMode(handle, now | virtualTerminal) !== 0;
}

function calls() {
  known ??= load();
  return known;
}
let known: ReturnType<typeof load> | undefined;

function load() {
  return dlopen("kernel32.dll", {
    GetConsoleMode: { args: ["u64", "ptr"], returns: "i32" },
    GetStdHandle: { args: ["i32"], returns: "u64" },
    SetConsoleMode: { args: ["u64", "u32"], returns: "i32" },
  }).symbols;
}
