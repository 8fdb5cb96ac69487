// Another `ui` of the same user and state directory that serves already.
import type { Context } from "../../operations/context.ts";
import { lastServer, leaveCode } from "../../operations/ui/place.ts";
import { newSecret } from "../../platform/secret.ts";
import { addressWith } from "./server.ts";

interface RunningUi {
  port: number;
  /** Lets a browser in, once. */
  address: string;
}

/** A page of the one that runs; undefined if none does, or not on the port that is wanted. */
export async function runningUi(
  context: Context,
  { path, wanted }: { path: string; wanted: number | undefined },
): Promise<RunningUi | undefined> {
  const { port, isAlive = false } = lastServer(context) ?? {};
  if (!isAlive || port === undefined || (wanted !== undefined && wanted !== port)) return undefined;
  const code = newSecret();
  await leaveCode(context, code);
  return { port, address: addressWith(port, path, code) };
}
