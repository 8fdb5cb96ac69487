// What doctor says of the machines that were added: whether each can be reached, and sessions can run on it.
import { product } from "../model/product.ts";
import { messageOf } from "../platform/system-error.ts";
import { countText } from "../report/amounts.ts";
import type { Context } from "./context.ts";
import type { Finding } from "./doctor.ts";
import { type HostOutput, listedHosts } from "./host.ts";

/** A finding for each machine. A list that cannot be read is one, too. */
export async function findingsOfHosts(context: Context): Promise<Finding[]> {
  try {
    const { hosts } = await listedHosts(context);
    return hosts.map(findingOf);
  } catch (error) {
    return [{ name: "hosts", ok: false, detail: messageOf(error) }];
  }
}

function findingOf({
  name,
  reachable,
  problem,
  sessions = 0,
  unread = 0,
  claude,
  waits = [],
}: Machine): Finding {
  const named = { name: `host ${name}` };
  if (!reachable)
    return {
      ...named,
      ok: false,
      detail: `It cannot be used: ${problem}.`,
      remedy: `Try \`ssh ${name}\`. If that works, run \`${product.name} host add ${name}\` again; if the machine has gone, \`${product.name} host remove ${name}\`.`,
    };
  if (problem !== undefined)
    return { ...named, ok: false, detail: problem, remedy: `Run \`claude\` on ${name}, and log in there.` };
  const ended = unread === 0 ? "" : ` ${countText(unread, "result waits", "results wait")} there to be read.`;
  const detail = `Claude Code ${claude ?? "of an unknown version"}; ${countText(sessions, "session runs", "sessions run")}.${ended}`;
  return { ...named, ok: waits.length === 0, detail: [detail, ...waits].join(" ") };
}

type Machine = HostOutput["hosts"][number];
