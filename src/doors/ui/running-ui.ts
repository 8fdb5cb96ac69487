// Another `ui` of the same user and state directory that serves already.
import { z } from "zod";
import type { Context } from "../../operations/context.ts";
import { lastServer } from "../../operations/ui/place.ts";
import { addressWith } from "./server.ts";

/** How long it may take to answer, in milliseconds. */
const patienceMs = 5_000;

const answer = z.object({ code: z.string() });

interface RunningUi {
  port: number;
  /** An address that lets a browser in, once. */
  addressOf(path: string): string;
}

/**
 * The one that runs; undefined if there is none, or not on the port that is wanted. Another program may have its port now, and gets no token
 * from us: the process must be the one that had it.
 */
export async function runningUi(
  context: Context,
  token: string,
  wanted: number | undefined,
): Promise<RunningUi | undefined> {
  const { port, isAlive = false } = lastServer(context) ?? {};
  if (!isAlive || port === undefined || (wanted !== undefined && wanted !== port)) return undefined;
  try {
    const response = await fetch(`http://127.0.0.1:${port}/address`, {
      method: "POST",
      headers: { Authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(patienceMs),
      redirect: "error",
      // A proxy of the environment is for other machines.
      proxy: "",
    });
    const { data } = answer.safeParse(await response.json());
    return data && { port, addressOf: (path) => addressWith(port, path, data.code) };
  } catch {
    // It is just ending.
    return undefined;
  }
}
