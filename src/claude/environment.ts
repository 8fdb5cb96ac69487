// The environment of a session: the user's own, without variables of ours or of a Claude Code around us.
import { type Environment, joined, variableKey } from "../platform/environment.ts";
import { pathListSeparator } from "../platform/paths.ts";
import { isBunVariable } from "../platform/self.ts";
import { depthVariable, markerVariable } from "../platform/session-variables.ts";
import { knownDirectories, pathDirectories } from "./find.ts";
import { decidesLogin } from "./login-variables.ts";
import { mentionsOff } from "./mentions.ts";
import type { Refused } from "./refused.ts";

// Set by a Claude Code that started us. Older versions refuse to run with them; newer ones would take the outer session's
// sockets for their own. `CLAUDE_CODE_USE_BEDROCK` and similar ones are the user's and stay.
const ofOuterSession = new Set([
  "CLAUDECODE",
  "CLAUDE_CODE_CHILD_NOTES_DIR",
  "CLAUDE_CODE_CHILD_SESSION",
  "CLAUDE_CODE_ENTRYPOINT",
  "CLAUDE_CODE_EXECPATH",
  "CLAUDE_CODE_LAUNCHED_BY_SESSION_IDS",
  "CLAUDE_CODE_MESSAGING_SOCKET",
  "CLAUDE_CODE_MESSAGING_TOKEN",
  "CLAUDE_CODE_SESSION_ATTENDED",
  "CLAUDE_CODE_SESSION_ID",
  "CLAUDE_CODE_SESSION_KIND",
  "CLAUDE_CODE_SESSION_NAME",
  "CLAUDE_CODE_SSE_PORT",
  "CLAUDE_EFFORT",
  "CLAUDE_ENV_FILE",
  "CLAUDE_PID",
  "CLAUDE_PROJECT_DIR",
  "AI_AGENT",
]);

// With these, Claude Code 2.1.332 hands a session over between its processes.
const ofHandOver = /^CLAUDE_(?:BG|CODE_RESUME|CODE_RELAUNCH)_/;

const ofOurs = "PARALLEL_CLAUDE_";

/** Whether a variable belongs to a Claude Code that started us. */
function isOfOuterSession(name: string): boolean {
  return ofOuterSession.has(name) || ofHandOver.test(name);
}

/** Whether a variable is one of ours: a setting, the marker or the depth. */
function isOurs(name: string): boolean {
  return name.startsWith(ofOurs);
}

// `claude` must not replace its own file while a batch runs, must report on stderr why it did not start, and must leave
// the time of subagents to our clocks: at the end of its input, which an adopted session has reached, its own limit is
// ten minutes (2.1.332).
const preset = {
  DISABLE_AUTOUPDATER: "1",
  CLAUDE_CODE_STARTUP_FAILURE_RESULTS: "1",
  CLAUDE_CODE_PRINT_BG_WAIT_CEILING_MS: "0",
};

/** What every process that we start inherits: no Bun switches, nothing of a session around us. */
export function cleanEnvironment(environment: Environment): Record<string, string> {
  const clean = Object.entries(joined([environment])).filter(([name]) => {
    const key = variableKey(name);
    return !isBunVariable(key) && !isOfOuterSession(key) && key !== markerVariable;
  });
  return Object.fromEntries(clean);
}

/**
 * The environment of all sessions of a batch; each also gets its marker and its directory. Contains no settings of ours,
 * which are not meant for a server that a session starts.
 */
export function sessionEnvironment(environment: Environment): Record<string, string> {
  const clean = Object.fromEntries(
    Object.entries(cleanEnvironment(environment)).filter(([name]) => !isOurs(variableKey(name))),
  );
  const path = pathDirectories(clean["PATH"]);
  const missing = knownDirectories().filter((directory) => !path.includes(directory));
  return {
    ...preset,
    ...clean,
    PATH: [...path, ...missing].join(pathListSeparator),
    [depthVariable]: String(depthOf(environment) + 1),
  };
}

// These load code into every program, including `claude` and the tools that search for it.
const ofLoader = /^(?:LD_(?:PRELOAD|AUDIT|LIBRARY_PATH)|DYLD_.*)$/;

/** Why a task may not set a variable of its session; undefined if it may. */
export function refusedVariable(spelled: string, platform = process.platform): Refused | undefined {
  const name = variableKey(spelled, platform);
  if (!/^[A-Za-z_]\w*$/.test(name) || spelled === "__proto__")
    return "a name is letters, digits and `_`, and begins with no digit";
  if (isOurs(name)) return "the program uses variables of this name to identify its sessions";
  if (isOfOuterSession(name)) return "Claude Code sets it for its own child processes";
  if (isBunVariable(name)) return "it would change `claude` itself";
  if (ofLoader.test(name)) return "it loads code into `claude` itself";
  if (name.toUpperCase() === "PATH")
    return "sessions have the PATH of this program, with absolute directories only";
  if (name === mentionsOff) return { option: "fileMentions" };
  if (decidesLogin(name))
    return "it decides which login a session uses; start the batch with another environment instead";
  return undefined;
}

/** How deeply we are nested in sessions: 0 outside of all. Anything but a number counts as 1, to be safe. */
export function depthOf(environment: Environment): number {
  const text = environment[depthVariable];
  if (text === undefined) return 0;
  return /^\d{1,3}$/.test(text) ? Number(text) : 1;
}
