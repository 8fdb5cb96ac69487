// How this machine is called.
// Bun has no call that names the machine.
import { hostname } from "node:os";

/** The name of this machine, without its domain; of a container, the container's. */
export function hostName(): string {
  return hostname().split(".", 1)[0] ?? "";
}
