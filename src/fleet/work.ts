// Where a task of a fleet works, and what comes back: plain data in jobs and results.
import { z } from "zod";
import { commitName } from "../git/bundle.ts";
import { blobRef } from "./blob-ref.ts";

/** What a task works on. */
export const work = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("git"),
    /** From which the worker gets what the bundle does not have. Without a password. */
    url: z.string(),
    /** What is checked out: the last commit, or one made of the uncommitted changes. */
    commit: commitName,
    /** The commit without the uncommitted changes. */
    head: commitName,
    /** Where the task works, below the root of the repository, with `/`; "" for the root. */
    below: z.string(),
    /** Commits that the remote may lack, the one with the uncommitted changes included. */
    bundle: blobRef.optional(),
  }),
  /** A directory that the worker has under the same path. The task works in place. */
  z.strictObject({ kind: z.literal("shared"), path: z.string() }),
  /** A new, empty directory. */
  z.strictObject({ kind: z.literal("empty") }),
]);
export type Work = z.infer<typeof work>;

/** What a task has changed in its repository. */
export const changes = z.strictObject({
  /** The commit that holds them, on top of the one that was checked out. */
  commit: commitName,
  /** Everything on top of that one. */
  bundle: blobRef,
  /** How many files differ. */
  files: z.int().nonnegative(),
});
export type Changes = z.infer<typeof changes>;
