import { expect, test } from "bun:test";
import { networkFuseOf } from "../../src/platform/network-file-systems.ts";
import { FakeSystem } from "./fake-system.ts";

const mountInfo = [
  "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
  "50 22 0:44 / /home/me/far\\040away rw,nosuid - fuse.sshfs me@there: rw,user_id=1000",
  "51 50 0:45 / /home/me/far\\040away/vault rw,nosuid - fuse.gocryptfs /x rw,user_id=1000",
  "52 22 0:46 / /mnt/disk rw - fuseblk /dev/sdb1 rw",
].join("\n");

test.each([
  ["/home/me/far away/state", "sshfs"],
  ["/home/me/far away", "sshfs"],
  // Encrypted by a program of this machine, and a disk of another system's kind: both are local.
  ["/home/me/far away/vault/state", undefined],
  ["/mnt/disk/state", undefined],
  ["/home/me/far away2", undefined],
])("%s is on %s", (directory, kind) => {
  using system = new FakeSystem({ "/proc/self/mountinfo": mountInfo });
  expect(networkFuseOf(directory, system)).toBe(kind);
});
