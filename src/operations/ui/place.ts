// Where `ui` is found: the process that served it last, and its port, which stays the same, so that open pages come back after
// a restart; and a page that leads a browser there.
import { z } from "zod";
import { readHead } from "../../platform/files.ts";
import { livenessOf, ownIdentity } from "../../platform/process.ts";
import { processIdentity } from "../../platform/process-identity.ts";
import { sameSecret } from "../../platform/secret.ts";
import { messageOf } from "../../platform/system-error.ts";
import { removePath, replaceFile } from "../../platform/whole-files.ts";
import { leadingPage } from "../../report/leading-page.ts";
import { layoutOf } from "../../store/layout.ts";
import { stateDirectoryOf } from "../configuration.ts";
import { type Context, UserError } from "../context.ts";
import { openingFailure } from "../open-page.ts";

const kept = z.object({ port: z.int().min(1).max(65_535), process: processIdentity.optional() });

interface LastServer {
  port: number;
  /** Whether it still runs. Where that cannot be known, it counts as gone. */
  isAlive: boolean;
}

/** What served it last; undefined if nothing has, or it cannot be read. */
export function lastServer(context: Context): LastServer | undefined {
  const { port, process } = lastKept(context) ?? {};
  if (port === undefined) return undefined;
  return { port, isAlive: process !== undefined && livenessOf(process) === "alive" };
}

function lastKept(context: Context): z.infer<typeof kept> | undefined {
  const text = readHead(fileOf(context), 4_096) ?? "";
  try {
    return kept.parse(JSON.parse(text));
  } catch {
    // It only helps to find it again.
    return undefined;
  }
}

function fileOf({ configuration }: Context): string {
  return layoutOf(stateDirectoryOf(configuration)).uiServerFile;
}

/** Keeps the port, and that this process serves it. Throws `UserError` if that cannot be kept. */
export async function keepServer(context: Context, port: number): Promise<void> {
  try {
    await keep(context, { port, process: ownIdentity() });
  } catch (error) {
    throw new UserError(`The port cannot be kept in ${fileOf(context)}: ${messageOf(error)}`);
  }
}

/** Keeps the port of this process, which serves no more; not if another one has begun to serve since. */
export async function keepOnlyPort(context: Context, port: number): Promise<void> {
  try {
    if (Bun.deepEquals(lastKept(context)?.process, ownIdentity())) await keep(context, { port });
  } catch {
    // The next one finds a process that has gone.
  }
}

function keep(context: Context, server: z.infer<typeof kept>): Promise<void> {
  return replaceFile(fileOf(context), `${JSON.stringify(server)}\n`, { mode: 0o600 });
}

/**
 * Leaves a code for the process that serves now: a browser with it may come in, once. In a file, because what a request has
 * might go through a proxy.
 */
export async function leaveCode({ configuration }: Context, code: string): Promise<void> {
  const { uiCodeFile } = layoutOf(stateDirectoryOf(configuration));
  try {
    await replaceFile(uiCodeFile, `${code}\n`, { mode: 0o600 });
  } catch (error) {
    throw new UserError(`A code for the browser cannot be kept in ${uiCodeFile}: ${messageOf(error)}`);
  }
}

/** Whether another process has left this code; from now on it is used. */
export async function takeCode({ configuration }: Context, code: string): Promise<boolean> {
  const { uiCodeFile } = layoutOf(stateDirectoryOf(configuration));
  const left = (readHead(uiCodeFile, 256) ?? "").trim();
  if (left === "" || !sameSecret(left, code)) return false;
  await removePath(uiCodeFile);
  return true;
}

/**
 * Opens an address in the browser of this desktop; why it could not be opened, or undefined if it was. By a page that only this
 * user can read, because other users see the command lines of all processes, and the address lets anyone in.
 */
export async function openAddress({ configuration }: Context, address: string): Promise<string | undefined> {
  const { uiPage } = layoutOf(stateDirectoryOf(configuration));
  try {
    await replaceFile(uiPage, leadingPage(address), { mode: 0o600 });
  } catch (error) {
    return messageOf(error);
  }
  return openingFailure(uiPage);
}
