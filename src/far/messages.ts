// What a runner and the keeper of a far machine say to each other: their only declaration. A session is known by the name of
// its start, which is unique. What is longer than a line goes as the body of its frame.
import { z } from "zod";
import { commitName } from "../git/bundle.ts";
import { onLostHost } from "../model/options.ts";
import { spent } from "../model/outcome.ts";
import { processIdentity } from "../platform/process-identity.ts";

/** A path in the folder of a batch, with slashes, that stays in it. */
const nameInFolder = z
  .string()
  .max(400)
  .regex(/^[\w.@-]+(?:\/[\w.@-]+)*$/)
  .refine((name) => !name.split("/").some((part) => part === "." || part === ".."), "leaves its folder");

const startName = z.string().regex(/^[\w-]{1,64}$/);
const batchId = z.string().regex(/^[\w-]{1,64}$/);
const ticket = z.string().max(64);
const offset = z.int().nonnegative();

/** A working tree of a task. */
const treeName = z.string().regex(/^[\w-]{1,64}$/);

/** How much of a bundle goes at once, in bytes. */
export const bundlePieceBytes = 512 * 1024;

/** The most commits that are asked for by name. */
export const mostFetched = 50;

/**
 * What is asked of a machine about the repositories that it has for others. Each may be asked again. `repository`: its name, such
 * as that of its first commit.
 */
export const treeAction = z.discriminatedUnion("do", [
  /** Which commits of a repository it has. */
  z.object({ do: z.literal("have"), repository: commitName }),
  /** Gets commits from the address of a remote, with the machine's own login, unless it has them. Says which of them it has. */
  z.object({
    do: z.literal("fetch"),
    repository: commitName,
    url: z.string().max(2_000),
    commits: z.array(commitName).min(1).max(mostFetched),
  }),
  /** A piece of a bundle, in the body; the first one has the number 0. */
  z.object({
    do: z.literal("receive"),
    repository: commitName,
    piece: z.int().nonnegative(),
    isLast: z.boolean(),
  }),
  /** A working tree with what is in a commit. */
  z.object({ do: z.literal("check-out"), repository: commitName, commit: commitName, name: treeName }),
  /** What differs in it from that commit, as a patch in the body of the answer. */
  z.object({ do: z.literal("changes"), name: treeName }),
  /** It is not needed any more. */
  z.object({ do: z.literal("drop"), name: treeName }),
]);
export type TreeAction = z.infer<typeof treeAction>;

/** What a runner says. */
export const toKeeper = z.discriminatedUnion("type", [
  /** First of all. A later runner of the batch has a higher epoch, and those with a lower one are refused. */
  z.object({
    type: z.literal("hello"),
    protocol: z.int(),
    version: z.string(),
    batch: batchId,
    epoch: z.int().positive(),
    leaseMs: z.int().positive(),
    onLostHost,
    /** What this runner knows of: another runner may have started more, of which nobody will ask. */
    sessions: z.array(startName),
    trees: z.array(treeName),
  }),
  /** First of all, from somebody who only asks what is there. */
  z.object({ type: z.literal("status"), protocol: z.int(), version: z.string() }),
  /** After `status`: removes what has ended and belongs to no runner that is connected. */
  z.object({ type: z.literal("prune") }),
  /** After `status`: takes the machine out of service, or puts it into service again. */
  z.object({
    type: z.literal("drain"),
    isDrained: z.boolean(),
    /** After how many seconds running sessions are handed back; absent: they end by themselves. */
    handBackSeconds: z.number().nonnegative().optional(),
  }),
  /** After `status`: the keeper leaves as soon as nothing runs, and the next one has the variables that are set when it starts. */
  z.object({ type: z.literal("renew") }),
  /** A sign of life. */
  z.object({ type: z.literal("lease") }),
  /** Asks again whether there is a Claude Code that can be used. */
  z.object({ type: z.literal("claude") }),
  /** Asks for a slot, and for the right to start a session in it. */
  z.object({
    type: z.literal("reserve"),
    ticket,
    footprintKey: z.string(),
    /** Whether a task that runs needs it to end: also a machine that is out of service has that. */
    isCheck: z.boolean().optional(),
  }),
  /** The slot is not needed; nothing was started in it. */
  z.object({ type: z.literal("release"), ticket }),
  /** A file for the sessions of the batch; the body is its content. */
  z.object({ type: z.literal("put"), name: nameInFolder }),
  z.object({
    type: z.literal("start"),
    id: startName,
    /** Absent for what needs no slot, such as a check of an answer. */
    ticket: ticket.optional(),
    marker: z.string(),
    /** Claude Code as the machine has it, or a program by its name. */
    program: z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("claude") }),
      z.object({ kind: z.literal("named"), name: z.string().min(1) }),
    ]),
    arguments: z.array(z.string()),
    directory: z.string(),
    /** In addition to the environment of the machine. */
    variables: z.record(z.string(), z.string()),
    initialize: z.string(),
    footprintKey: z.string(),
    /** How long it may run while nobody has the lease, in milliseconds. */
    mostMs: z.int().positive(),
    /** The id of its conversation, if it has one that another session may continue. */
    conversation: z.string().max(100).optional(),
  }),
  /** The session has begun, so another one may start while it runs. */
  z.object({ type: z.literal("ready"), id: startName }),
  /** A line for its standard input, in the body; with `close`, its end. Numbered from 1 by each runner. */
  z.object({
    type: z.literal("input"),
    id: startName,
    number: z.int().positive(),
    close: z.boolean().optional(),
  }),
  z.object({
    type: z.literal("end"),
    id: startName,
    graceMs: z.number().nonnegative().optional(),
    isUnasked: z.boolean().optional(),
  }),
  /** Its transcript from this byte on, as it grows. */
  z.object({ type: z.literal("read"), id: startName, from: offset }),
  /** The transcript was taken up to this byte. */
  z.object({ type: z.literal("got"), id: startName, to: offset }),
  z.object({ type: z.literal("tree"), request: z.int(), action: treeAction }),
  /** It has ended, and everything of it was taken. */
  z.object({ type: z.literal("forget"), id: startName }),
]);
export type ToKeeper = z.infer<typeof toKeeper>;

/** How a process ended; empty if nobody saw it. */
const exit = z.object({ code: z.int().exactOptional(), signal: z.string().exactOptional() });

/** Claude Code as a machine has it. */
const ownClaude = z.object({ version: z.string().optional(), problem: z.string().optional() });

/** What runs on a machine, for people. */
export const overview = z.object({
  sessions: z.array(
    z.object({
      id: z.string(),
      batch: z.string(),
      directory: z.string(),
      startedAt: z.number(),
      state: z.enum(["running", "ended"]),
      /** In bytes. */
      transcript: z.number(),
    }),
  ),
  /** Bytes below the folder of far sessions. */
  bytes: z.number(),
  /** How many sessions of the account run there, also its own; how many may, if that is a number; and why none can start. */
  room: z.object({
    running: z.int(),
    slots: z.int().optional(),
    because: z.string().optional(),
  }),
  /** How many have ended there in the last hour. */
  ended: z.int(),
  claude: ownClaude,
});
export type Overview = z.infer<typeof overview>;

/** What a keeper says. */
export const fromKeeper = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("welcome"),
    version: z.string(),
    /** Where `put` puts files. Absolute. */
    folder: z.string(),
    claude: ownClaude,
    /** Whether it understands `fetch`; absent in older versions. */
    fetches: z.boolean().optional(),
  }),
  z.object({ type: z.literal("claude"), claude: ownClaude }),
  /** The connection ends. `replaced`: another runner has the batch. In words for people. */
  z.object({
    type: z.literal("refused"),
    kind: z.enum(["protocol", "replaced", "trouble"]),
    because: z.string(),
  }),
  z.object({ type: z.literal("leased") }),
  z.object({ type: z.literal("status"), version: z.string(), overview }),
  /** The answer to `drain`. */
  z.object({ type: z.literal("drained") }),
  z.object({ type: z.literal("pruned"), sessions: z.int(), bytes: z.number() }),
  /** `isNow`: within a second or two, because nothing runs. */
  z.object({ type: z.literal("renewing"), isNow: z.boolean() }),
  /** How many sessions run there, also its own, and why no more can start; pushed when it changes. */
  z.object({ type: z.literal("room"), running: z.int(), because: z.string().optional() }),
  z.object({ type: z.literal("reserved"), ticket }),
  z.object({ type: z.literal("full"), ticket, because: z.string() }),
  z.object({ type: z.literal("started"), id: startName }),
  z.object({
    type: z.literal("failed"),
    id: startName,
    kind: z.enum(["task", "passing"]),
    message: z.string(),
  }),
  /** An input was passed on, or came too late. */
  z.object({ type: z.literal("took"), id: startName, number: z.int().positive() }),
  /** After `read`: how long the transcript is now, in bytes; with `isGone`, its process has gone, so `exited` comes as well. */
  z.object({ type: z.literal("at"), id: startName, size: offset, isGone: z.boolean() }),
  /** The body is what stands in the transcript from this byte on. */
  z.object({ type: z.literal("data"), id: startName, from: offset }),
  /**
   * The process has gone. `size`: of its transcript, in bytes. `isLapsed`: it was ended because its runner had given no sign
   * of life, or had gone before its prompt.
   */
  z.object({
    type: z.literal("exited"),
    id: startName,
    size: offset,
    exit,
    stderr: z.string(),
    isLapsed: z.boolean().optional(),
    /** Its conversation, if it can be continued there, and what that has cost. */
    conversation: z.object({ id: z.string(), cost: spent.optional() }).optional(),
  }),
  /** It was ended, and these processes were left behind by it and killed. `size`: of what they and it have written. */
  z.object({ type: z.literal("ended"), id: startName, leaked: z.array(processIdentity), size: offset }),
  /** The answer to `tree`; in words for people, if it failed. */
  z.object({
    type: z.literal("tree"),
    request: z.int(),
    problem: z.string().optional(),
    /** The machine lacks something, such as room on its disk: it may work later. */
    isPassing: z.boolean().optional(),
    /** The pieces of a bundle do not follow one another any more: all of them must be sent again. */
    isInterrupted: z.boolean().optional(),
    /** They become words of a command here, and who answers may be hostile. */
    commits: z.array(commitName).optional(),
    /** Of a working tree. Absolute. */
    directory: z.string().optional(),
    /** How many files differ. */
    files: z.int().optional(),
    /** From which commit. */
    commit: commitName.optional(),
  }),
  /** There is no such session: it never started, or it was forgotten, perhaps just now as it was asked. */
  z.object({ type: z.literal("unknown"), id: startName }),
]);
export type FromKeeper = z.infer<typeof fromKeeper>;
