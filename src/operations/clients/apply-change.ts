// Applies a planned change to the file of a client, and keeps a copy of the old file.
import { copyBeside, makeDirectory, permissionsOf, setPermissions } from "../../platform/files.ts";
import { namesIn, removeEmptyFolders } from "../../platform/folders.ts";
import { basename, dirname, homeDirectory } from "../../platform/paths.ts";
import { removePath } from "../../platform/removal.ts";
import { messageOf } from "../../platform/system-error.ts";
import { replaceFile } from "../../platform/whole-files.ts";
import { UserError } from "../context.ts";
import type { McpClient } from "./client-files.ts";
import type { ClientName } from "./client-names.ts";
import { fileText } from "./file-text.ts";
import { type Change, placeOf, readable } from "./install.ts";
import { copyMark, pruneCopies, removeOwnCopies } from "./kept-copy.ts";

/** A change of a client's configuration, and whether it was made. */
export interface ClientChange {
  client: ClientName;
  file: string;
  scope: McpClient["scope"];
  name: string;
  diff: string;
  notes: string[];
  changes: boolean;
  removesFile: boolean;
  applied: boolean;
  backup?: string;
}

/** Makes a change, if there is any and its user `agrees`. Throws `UserError`. */
export async function changeClient(change: Change, agrees: () => Promise<boolean>): Promise<ClientChange> {
  const { client, name, before, after, diff, notes } = change;
  const applied = diff !== "" && (await agrees());
  const backup = applied ? await applyChange(change) : undefined;
  return {
    client: client.name,
    file: client.file,
    scope: client.scope,
    name,
    diff,
    notes,
    changes: diff !== "",
    removesFile: before !== undefined && after === undefined,
    applied,
    ...(backup === undefined ? {} : { backup }),
  };
}

/** Applies a change, and returns the path of the backup, if anything had to be kept. Throws `UserError`. */
export async function applyChange({ client, name, before, after }: Change): Promise<string | undefined> {
  const place = placeOf(client, name);
  // A link stays a link: its target is replaced.
  const { file } = place;
  if (readable(client, () => fileText(file)) !== before)
    throw new UserError(
      `${client.file} was changed by another program in the meantime. Nothing was done. Try again.`,
    );
  try {
    makeDirectory(dirname(file));
    if (after === undefined) {
      // We created it, and it contains nothing else, so nothing must be kept.
      removeOwnCopies(place);
      removePath(file);
      // An empty folder would look as if the client were on this machine.
      removeEmptyFolders(dirname(client.file), client.root ?? homeDirectory());
      return undefined;
    }
    // In a project it would be committed with the secrets of other servers; there the repository remembers.
    const backup = before === undefined || client.scope === "project" ? undefined : backUp(file);
    // It may contain credentials of other servers, unless others are to read it.
    const usual = client.scope === "project" ? 0o644 : 0o600;
    const mode = before === undefined ? usual : permissionsOf(file);
    await replaceFile(file, after, { mode });
    setPermissions(file, mode);
    pruneCopies(place);
    return backup;
  } catch (error) {
    const reason = messageOf(error);
    throw new UserError(`${client.file} cannot be written: ${reason}`);
  }
}

/** `mcp.json.backup-20261122-141500`, in local time, beside the file. */
function backUp(file: string): string {
  const now = new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString();
  const name = `${file}${copyMark}${now.slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-")}`;
  // Numbered after all others of this second: one in between may have been removed, and the newest must have the highest
  // number.
  const taken = [...namesIn(dirname(file))].flatMap((one) => {
    if (one === basename(name)) return [1];
    return one.startsWith(`${basename(name)}-`) ? [Number(one.slice(basename(name).length + 1))] : [];
  });
  const copy = taken.length === 0 ? name : `${name}-${Math.max(...taken) + 1}`;
  copyBeside(file, copy);
  return copy;
}
