// The control groups (cgroups) that this process is in, of either version. Linux.
import { join } from "./paths.ts";
import { type System, textAt } from "./system.ts";

/** What a group may limit; `unified` is the group of version 2, whatever it limits. */
export type Controller = "memory" | "cpu" | "pids" | "unified";

/** The folders of our group and all groups around it, as far as they are visible; our own first. */
export interface ControlGroups {
  version: 1 | 2;
  folders: string[];
}

/** Undefined if there is no such group. Reads one small file, unless this process was moved to another group. */
export function controlGroups(controller: Controller, { root }: System): ControlGroups | undefined {
  const membership = textAt(`${root}/proc/self/cgroup`);
  if (membership === undefined) return undefined;
  if (known?.root !== root || known.membership !== membership) {
    const mounts = mountsIn(textAt(`${root}/proc/self/mountinfo`) ?? "");
    const find = (wanted: Controller) => groupsOf(wanted, membership, mounts, root);
    known = {
      root,
      membership,
      groups: { memory: find("memory"), cpu: find("cpu"), pids: find("pids"), unified: find("unified") },
    };
  }
  return known.groups[controller];
}

// Where groups are mounted takes long to read and does not change.
let known:
  | { root: string; membership: string; groups: Record<Controller, ControlGroups | undefined> }
  | undefined;

interface Mount {
  version: 1 | 2;
  /** Which group is mounted there; in a container, not necessarily the root group. */
  group: string;
  folder: string;
  /** Controllers and other options. */
  options: string[];
}

function groupsOf(
  controller: Controller,
  membership: string,
  mounts: Mount[],
  root: string,
): ControlGroups | undefined {
  const own = groupIn(membership, controller);
  if (!own) return undefined;
  for (const mount of mounts) {
    if (mount.version !== own.version) continue;
    if (own.version === 1 && !mount.options.includes(controller)) continue;
    const way = wayFrom(mount.group, own.path);
    if (way === undefined) continue;
    const folders = way.map((_, length) => join(root, mount.folder, ...way.slice(0, way.length - length)));
    return { version: own.version, folders: [...folders, join(root, mount.folder)] };
  }
  return undefined;
}

// A line is `number:controllers:path`. Version 2 has the number 0 and lacks controllers that version 1 has.
function groupIn(membership: string, controller: Controller): { version: 1 | 2; path: string } | undefined {
  const lines = membership.split("\n").flatMap((line) => {
    const [, number = "", controllers = "", path = ""] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? [];
    return path === "" ? [] : [{ number, controllers: controllers.split(","), path }];
  });
  const first = lines.find(({ number, controllers }) => number !== "0" && controllers.includes(controller));
  if (first) return { version: 1, path: first.path };
  const second = lines.find(({ number, controllers }) => number === "0" && controllers[0] === "");
  return second && { version: 2, path: second.path };
}

// The names between a group and one inside it. Undefined if it lies elsewhere: in a container, the path of a group
// outside begins with `/..`.
function wayFrom(outer: string, inner: string): string[] | undefined {
  const [names, before] = [inner, outer].map((path) => path.split("/").filter(Boolean));
  if (!names || !before || names.includes("..")) return undefined;
  if (before.some((name, index) => names[index] !== name)) return undefined;
  return names.slice(before.length);
}

// proc_pid_mountinfo(5): fields up to a lone hyphen (the fourth and the fifth are used), then type, source, options.
function mountsIn(mountInfo: string): Mount[] {
  return mountInfo.split("\n").flatMap((line) => {
    const [, , , group, folder, ...rest] = line.split(" ");
    const [type, , options = ""] = rest.slice(rest.indexOf("-") + 1);
    if (group === undefined || folder === undefined || (type !== "cgroup" && type !== "cgroup2")) return [];
    const version = type === "cgroup2" ? 2 : 1;
    return [{ version, group: plain(group), folder: plain(folder), options: options.split(",") }];
  });
}

// Blanks and backslashes in paths are escaped as `\040` and so on.
function plain(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
