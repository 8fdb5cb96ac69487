// Which directories are on a network file system, where SQLite's locks are unreliable.
// Bun has no call that gives the kind of a file system.
import { statfsSync } from "node:fs";
import { realPath } from "./files.ts";
import { isWithin } from "./paths.ts";
import { type System, textAt, thisSystem } from "./system.ts";

// From the kernel's `magic.h` and the file systems' own headers.
const byMagic: Record<number, string> = {
  26985: "NFS",
  20859: "SMB",
  4283649346: "CIFS",
  4266872130: "SMB2",
  16914839: "9P",
  1397113167: "AFS",
  12805120: "Ceph",
  198183888: "Lustre",
};

/**
 * FUSE has one number for all its file systems, local ones such as encrypted folders too. The type of the mount
 * distinguishes them.
 */
const fuseMagic = 1702057286;

const fuseKinds = [
  "sshfs",
  "rclone",
  "s3fs",
  "gcsfuse",
  "goofys",
  "blobfuse",
  "blobfuse2",
  "glusterfs",
  "juicefs",
  "davfs2",
  "curlftpfs",
  "gvfsd-fuse",
  "google-drive-ocamlfuse",
  "smbnetfs",
  "afpfs",
];

/** The type of a directory's network file system; undefined if it is local or unknown. */
export function networkFileSystemOf(directory: string): string | undefined {
  if (process.platform !== "linux") return undefined;
  const magic = statfsSync(directory).type >>> 0;
  return magic === fuseMagic ? networkFuseOf(realPath(directory)) : byMagic[magic];
}

/** The same for a directory on FUSE, from the mount table. `directory` has its symbolic links resolved. */
export function networkFuseOf(directory: string, { root }: System = thisSystem): string | undefined {
  // proc_pid_mountinfo(5): the fifth field is the mount point, the first after a lone hyphen the type. Later mounts cover
  // earlier ones.
  const kind = (textAt(`${root}/proc/self/mountinfo`) ?? "")
    .split("\n")
    .flatMap((line) => {
      const [, , , , place, ...rest] = line.split(" ");
      const kind = rest[rest.indexOf("-") + 1];
      return place === undefined || kind === undefined ? [] : [{ place: plain(place), kind }];
    })
    .filter(({ place }) => isWithin(directory, place))
    .reduce<{ place: string; kind: string } | undefined>(
      (longest, mount) => (longest && longest.place.length > mount.place.length ? longest : mount),
      undefined,
    )?.kind;
  const subtype = kind?.replace(/^fuse\./, "");
  return subtype !== undefined && fuseKinds.includes(subtype) ? subtype : undefined;
}

// Blanks and backslashes in paths are escaped as `\040` and so on.
function plain(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
