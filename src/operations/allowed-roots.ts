// The operator's allowed roots: where sessions may work, and what a client's model may have us read.
import { variableOf } from "../model/configuration.ts";
import { realPath } from "../platform/files.ts";
import { isWithin } from "../platform/paths.ts";
import type { Context } from "./context.ts";

/** The roots, with links resolved. */
export function allowedRoots({ configuration }: Context): string[] {
  return (configuration.allowedRoots ?? []).map(realPath);
}

/** Whether a path, with links resolved, is inside them. */
export function insideRoots(context: Context, path: string): boolean {
  const real = realPath(path);
  return allowedRoots(context).some((root) => isWithin(real, root));
}

/** What is wrong with a path outside of them, as it follows the path. */
export function outsideText(context: Context): string {
  return `is outside the allowed roots (${allowedRoots(context).join(", ")}); the operator can add to \`allowedRoots\` in ${context.inForce.file}, or set ${variableOf("allowedRoots")}`;
}

/**
 * Why we do not read a file or directory for this caller, as it follows the path; undefined if we may. Ask before anything
 * is said about it: whether it exists is nobody's business either. A person may read whatever they can.
 */
export function whyNotRead(context: Context, path: string): string | undefined {
  return context.door === "tools" && !insideRoots(context, path) ? outsideText(context) : undefined;
}
