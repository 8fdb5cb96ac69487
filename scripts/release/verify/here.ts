// Which of the targets this machine is.
import { readFileSync } from "node:fs";
import { type Target, targets } from "../targets.ts";

/** The target that runs here, if there is one. */
export const here: Target | undefined = targets.find(
  ({ os, cpu, libc }) =>
    os === process.platform && cpu === process.arch && (libc === undefined || libc === ownLibc()),
);

/** The targets that do not. */
export const elsewhere: readonly Target[] = targets.filter((target) => target !== here);

// As the launcher tells them apart: by the loader of the process that asks.
function ownLibc(): "glibc" | "musl" {
  return readFileSync("/proc/self/maps", "latin1").includes("/ld-musl-") ? "musl" : "glibc";
}
