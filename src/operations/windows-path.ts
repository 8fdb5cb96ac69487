// Paths as people and models write them on Windows, and names that no file can have there.
import { isThere } from "../platform/files.ts";

/**
 * A path with the home as `~`, and with a drive as Windows names it: Git Bash and WSL write `/c/work` and `/mnt/c/work`. A
 * folder that is really called so is meant if it exists (`isTaken`).
 */
export function asWindowsHasIt(written: string, isTaken: (path: string) => boolean = isThere): string {
  const home = written.replace(/^(?:%USERPROFILE%|\$env:USERPROFILE)(?=$|[/\\])/i, "~");
  const [, folder = "", drive = ""] = /^((?:\/mnt)?\/([a-z]))(?=\/|$)/i.exec(home) ?? [];
  if (drive === "" || isTaken(folder)) return home;
  return `${drive.toUpperCase()}:\\${home.slice(folder.length + 1).replaceAll("/", "\\")}`;
}

/** Why nothing on Windows can have this absolute path; undefined if something can. */
export function unusableOnWindows(path: string): string | undefined {
  // `\\?\` before a path only says that it is taken as it is; a drive has the only colon.
  const names = path.replace(/^\\\\[?.]\\/, "").replace(/^[a-z]:/i, "");
  for (const name of names.split(/[/\\]/)) {
    const character = forbidden.exec(name)?.[0];
    if (character !== undefined)
      return `contains ${JSON.stringify(character)}, which no name on Windows can hold`;
    if (reserved.test(name)) return `contains the name ${name}, which Windows keeps for a device`;
    if (/[^.][. ]$|^ +$/.test(name))
      return `contains a name that ends with a dot or a blank, which Windows leaves out`;
  }
  return undefined;
}

const forbidden = /[<>:"|?*\x00-\x1f]/;
const reserved = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?: *\..*)?$/i;
