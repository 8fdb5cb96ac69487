// The machines that the user has added: where our program is there. Kept beside the store, because the next batch of any
// client may use them.
import { z } from "zod";
import { exists, readText } from "../platform/files.ts";
import { replaceFile } from "../platform/whole-files.ts";
import type { Layout } from "./layout.ts";

const addedHost = z.object({
  /** The program there, and what comes before `__far` on its command line. */
  command: z.array(z.string()).min(1),
  /** SHA-256 of the executable, in hex. */
  checksum: z.string().optional(),
  version: z.string(),
  /** As `uname -sm` there says. */
  system: z.string(),
  addedAt: z.number(),
});
export type AddedHost = z.infer<typeof addedHost>;

const addedHosts = z.record(z.string(), addedHost);

/** Those that were added, by the names that the user gives them. Throws if the file is damaged. */
export function addedHostsOf({ hostsFile }: Layout): Readonly<Record<string, AddedHost>> {
  return exists(hostsFile) ? addedHosts.parse(JSON.parse(readText(hostsFile))) : {};
}

/** The one of this name; undefined if there is none. Throws if the file is damaged. */
export function addedHostNamed(layout: Layout, name: string): AddedHost | undefined {
  const all = addedHostsOf(layout);
  return Object.hasOwn(all, name) ? all[name] : undefined;
}

/** Adds a machine, or replaces what is known of it. */
export async function keepHost(layout: Layout, name: string, host: AddedHost): Promise<void> {
  const all = { ...addedHostsOf(layout), [name]: host };
  await replaceFile(layout.hostsFile, `${JSON.stringify(all, null, 2)}\n`, { mode: 0o600 });
}

/** Forgets a machine. False if there was none of this name. */
export async function forgetHost(layout: Layout, name: string): Promise<boolean> {
  if (!addedHostNamed(layout, name)) return false;
  const { [name]: _found, ...others } = addedHostsOf(layout);
  await replaceFile(layout.hostsFile, `${JSON.stringify(others, null, 2)}\n`, { mode: 0o600 });
  return true;
}
