// How the user's own ssh is called. What it does is theirs: configuration, agent, known hosts, jumps.

import { shellQuoted } from "../model/shell-quoted.ts";
import { joined } from "../platform/environment.ts";
import { programNamed } from "../platform/program.ts";

/** How long ssh tries to connect, and how often and how many times in a row it asks for a sign of life, in seconds. */
const connectSeconds = 15;
const aliveSeconds = 5;
const mostSilent = 3;

/** How a user names a machine: as for ssh, with the port behind a colon if it is not in their configuration. */
const hostName = /^(?:[\w.+][\w.+-]*@)?(?:[A-Za-z0-9][\w.-]*|\[[0-9A-Fa-f:.%\w]+\])(?::(\d{1,5}))?$/;

/** Whether a text can name a machine. */
export function isHostName(text: string): boolean {
  return hostName.test(text);
}

/** The command line that runs a program on another machine; undefined if there is no ssh. */
export function sshCommand(
  host: string,
  words: readonly string[],
  environment: Record<string, string | undefined> = process.env,
): string[] | undefined {
  const ssh = programNamed("ssh", "/", joined([environment])["PATH"]);
  if (ssh === undefined) return undefined;
  const port = hostName.exec(host)?.[1];
  const name = port === undefined ? host : host.slice(0, -port.length - 1);
  return [
    ssh,
    "-T",
    // Nobody is there to answer.
    ...["-o", "BatchMode=yes"],
    // Ours alone, so that the end of another connection does not end it.
    ...["-o", "ControlMaster=no", "-o", "ControlPath=none"],
    // What the user's configuration has for their own sessions would refuse ours, or end them: older versions know no other.
    ...["-o", "RemoteCommand=none", "-o", "ClearAllForwardings=yes"],
    ...["-o", `ConnectTimeout=${connectSeconds}`],
    ...["-o", `ServerAliveInterval=${aliveSeconds}`, "-o", `ServerAliveCountMax=${mostSilent}`],
    ...(port === undefined ? [] : ["-p", port]),
    // Whatever it is, it is no option.
    "--",
    name.replace(/^((?:[^@]*@)?)\[(.*)\]$/, "$1$2"),
    words.map((word) => shellQuoted(word, "linux")).join(" "),
  ];
}
