// The machines of one's own on which batches can run: adds them, lists what they do, forgets them.
import { z } from "zod";
import { becauseOn } from "../engine/account/hold-text.ts";
import { copyThere, describedHost, ownSystem, placeThere, runThere } from "../far/add-host.ts";
import { askKeeper, renewKeeper } from "../far/ask-keeper.ts";
import { isHostName } from "../far/ssh-command.ts";
import { product } from "../model/product.ts";
import { shellQuoted } from "../model/shell-quoted.ts";
import { exists, kindAt, makePrivateDirectory } from "../platform/files.ts";
import { absolutePath } from "../platform/paths.ts";
import { selfCommand } from "../platform/self.ts";
import { countText } from "../report/amounts.ts";
import { heldText } from "../report/answer.ts";
import { harmless } from "../report/harmless.ts";
import { addedHostNamed, addedHostsOf, forgetHost, keepHost } from "../store/added-hosts.ts";
import { accountOn, Holds, isDue } from "../store/holds.ts";
import { type Layout, layoutOf } from "../store/layout.ts";
import { accountOf } from "./account.ts";
import { stateDirectoryOf } from "./configuration.ts";
import { type Context, UserError, valueOrThrow } from "./context.ts";
import { drainSeconds } from "./drain-seconds.ts";
import { check, excerpt } from "./faults.ts";
import { notAdded } from "./host-faults.ts";
import type { Operation } from "./operation.ts";

export const hostActions = ["add", "list", "remove", "drain", "resume"] as const;

const input = z.strictObject({
  action: z.enum(hostActions).default("list"),
  name: z.string().min(1).optional(),
  executable: z
    .string()
    .min(1)
    .meta({
      description:
        "With `add`: the executable of this program for that machine (default: the one that runs now, if both machines are of one kind).",
      placeholder: "FILE",
    })
    .optional(),
  drainSeconds: drainSeconds(
    "With `drain`: after how many seconds running sessions are stopped, so that their tasks run again, also on other machines (default: they end by themselves).",
  ),
});
type Asked = z.output<typeof input>;

const finding = z.object({
  name: z.string(),
  ok: z.boolean(),
  detail: z.string(),
  remedy: z.string().optional(),
});

const machine = z.object({
  name: z.string(),
  system: z.string(),
  version: z.string(),
  reachable: z.boolean(),
  problem: z.string().optional().meta({ description: "Why it cannot be used now." }),
  running: z.int().optional().meta({ description: "Sessions that run there for other machines." }),
  unread: z
    .int()
    .optional()
    .meta({ description: "Sessions that have ended, and that no batch has read yet." }),
  bytes: z.int().optional().meta({ description: "What these take on its disk." }),
  batches: z.array(z.string()).optional(),
  sessions: z
    .int()
    .optional()
    .meta({ description: "Sessions that run there now, also those of the machine's own batches." }),
  slots: z.int().optional().meta({ description: "How many may, if that is a number." }),
  lastHour: z
    .int()
    .optional()
    .meta({ description: "Sessions for other machines that have ended in the last hour." }),
  waits: z.array(z.string()).optional().meta({
    description:
      "Why no session can start there now, and limits that batches of this machine have met there.",
  }),
  claude: z.string().optional().meta({ description: "The version of Claude Code there." }),
});

const output = z.object({
  ok: z.boolean(),
  message: z.string(),
  hosts: z.array(machine),
  findings: z
    .array(finding)
    .optional()
    .meta({ description: "What `doctor` found on the machine that was added." }),
});
export type HostOutput = z.output<typeof output>;

export const host: Operation<typeof input, typeof output> = {
  title: "Add machines of your own, and see what they do",
  description:
    "`add` checks the connection with your own `ssh`, copies this program into your state directory on that machine, and runs `doctor` there. Nothing else is installed, no port is opened, and no secret is copied: Claude must be logged in there. `list` shows what each machine runs. `drain` takes a machine out of service: it takes no more tasks of any batch, and those that run there end, until `resume`. `remove` forgets a machine; nothing on it changes.",
  input,
  output,
  run: async (context, given) => {
    const asked = valueOrThrow(check(input, given));
    const { action, name, executable } = asked;
    if (asked.drainSeconds !== undefined && action !== "drain")
      throw new UserError("`--drain-seconds` belongs to `host drain`. Nothing was changed.");
    const layout = layoutOf(stateDirectoryOf(context.configuration));
    if (action === "list") return listedHosts(context, name);
    if (name === undefined)
      throw new UserError(`Say which machine: \`${product.name} host ${action} NAME\`.`);
    if (!isHostName(name))
      throw new UserError(
        `${excerpt(name)} names no machine. Write it as for ssh: \`box1\`, \`me@box2:22\`.`,
      );
    if (action === "add") return added(context, layout, name, executable);
    return action === "remove" ? removed(layout, name) : changedThere(context, layout, { ...asked, name });
  },
};

/** The machines that were added, or one of them, as each answers now. */
export async function listedHosts(context: Context, only?: string): Promise<HostOutput> {
  const layout = layoutOf(stateDirectoryOf(context.configuration));
  const known = Object.entries(addedHostsOf(layout)).filter(([name]) => only === undefined || name === only);
  if (only !== undefined && known.length === 0) throw notAdded(only);
  const hosts = await Promise.all(
    known.map(async ([name, { command, system, version }]) => {
      const told = await askKeeper(name, command);
      if (!told.ok) return { name, system, version, reachable: false, problem: harmless(told.because) };
      const { sessions, bytes, room, ended, claude } = told.overview;
      const problem = claude.problem === undefined ? {} : { problem: harmless(claude.problem) };
      const waits = [
        ...(room.because === undefined ? [] : [harmless(room.because)]),
        ...holdsOn(context, name),
      ];
      return {
        ...problem,
        name,
        system,
        version: harmless(told.version),
        reachable: true,
        running: sessions.filter(({ state }) => state === "running").length,
        unread: sessions.filter(({ state }) => state === "ended").length,
        bytes,
        batches: [...new Set(sessions.map(({ batch }) => harmless(batch)))],
        sessions: room.running,
        ...(room.slots === undefined ? {} : { slots: room.slots }),
        lastHour: ended,
        ...(waits.length === 0 ? {} : { waits }),
        ...(claude.version === undefined ? {} : { claude: harmless(claude.version) }),
      };
    }),
  );
  const away = hosts.filter(({ problem }) => problem !== undefined).length;
  const message =
    hosts.length === 0
      ? `There are no machines yet. Add one: \`${product.name} host add NAME\`.`
      : away === 0
        ? "All can be reached."
        : `${away} of ${hosts.length} cannot be used now.`;
  return { ok: away === 0, message, hosts };
}

/** What batches of this machine have met on another one, in words for people. */
function holdsOn(context: Context, name: string): string[] {
  const now = Date.now();
  const holds = holdsOf(context, name)?.all() ?? [];
  return holds.flatMap((hold) =>
    isDue(hold, now) ? [] : [heldText({ ...hold, because: becauseOn(name, hold) }, now)],
  );
}

// Without a store, there was no batch.
function holdsOf(context: Context, name: string): Holds | undefined {
  if (!exists(layoutOf(stateDirectoryOf(context.configuration)).database)) return undefined;
  const { store } = context;
  return new Holds(store.database, accountOn(accountOf(process.env, store.salt()).hash, name));
}

async function added(
  context: Context,
  layout: Layout,
  name: string,
  given: string | undefined,
): Promise<HostOutput> {
  const failed = (what: string, because: string) =>
    new UserError(`${name} was not added: ${what}: ${harmless(because)}`);
  const described = await describedHost(name);
  if (!described.ok)
    throw failed(
      "it cannot be reached",
      `${described.because.replace(/\.$/, "")}. \`ssh ${name} true\` must work without a question.`,
    );
  const { system, stateBase } = described;
  const executable = executableFor(context, { name, system, given });
  const checksum = await checksumOf(executable);
  const path = placeThere(stateBase, checksum);
  const copied = await copyThere(name, executable, { path, checksum });
  if (!copied.ok) throw failed("the program could not be copied", copied.because);
  const at = shellQuoted(path, "linux");
  const version = await runThere(name, `${at} --version`);
  if (!version.ok) throw failed(`the program does not run on ${system}`, version.because);
  const found = await runThere(name, `cd "$HOME" && { ${at} doctor --json || true; }`);
  const findings = found.ok ? findingsIn(found.out) : undefined;
  if (!findings) throw failed("`doctor` there gave no answer", found.ok ? excerpt(found.out) : found.because);
  makePrivateDirectory(layout.stateDirectory);
  const own = {
    command: [path],
    checksum,
    version: harmless(version.out).trim(),
    system: harmless(system),
    addedAt: Date.now(),
  };
  await keepHost(layout, name, own);
  const ok = findings.every((one) => one.ok);
  await renewKeeper(name, own.command);
  // A login there may be what batches wait for.
  if (ok) holdsOf(context, name)?.hasten(Date.now());
  const done = copied.isCopied ? "The program was copied there." : "The program was there already.";
  const end = ok
    ? `${name} was added. ${done}`
    : `${name} was added, but sessions cannot run there until what failed is fixed on ${name}. Then run this command again. ${done}`;
  const machine = { name, system: own.system, version: own.version, reachable: true };
  return { ok, message: end, hosts: [machine], findings };
}

async function changedThere(
  context: Context,
  layout: Layout,
  { action, name, drainSeconds }: Asked & { name: string },
): Promise<HostOutput> {
  const known = addedHostNamed(layout, name);
  if (!known) throw notAdded(name);
  const isDrained = action === "drain";
  const told = await askKeeper(name, known.command, {
    type: "drain",
    isDrained,
    ...(drainSeconds === undefined ? {} : { handBackSeconds: drainSeconds }),
  });
  if (!told.ok) throw new UserError(`${name} was not changed: ${harmless(told.because)}`);
  const { ok, hosts } = await listedHosts(context, name);
  const [running = 0] = hosts.map((one) => one.running);
  const then =
    drainSeconds === undefined
      ? "What runs there ends by itself"
      : `What still runs there after ${countText(drainSeconds, "second")} is handed back`;
  const message = isDrained
    ? `${name} takes no more tasks, until \`${product.name} host resume ${name}\`. ${then}: ${countText(running, "session")} now.`
    : `${name} takes tasks again.`;
  return { ok, message, hosts };
}

async function removed(layout: Layout, name: string): Promise<HostOutput> {
  if (!(await forgetHost(layout, name))) throw notAdded(name);
  return { ok: true, message: `${name} was removed. Nothing on it has changed.`, hosts: [] };
}

function executableFor(
  { workingDirectory }: Context,
  { name, system, given }: { name: string; system: string; given: string | undefined },
): string {
  if (given !== undefined) {
    const path = absolutePath(given, workingDirectory);
    if (kindAt(path) !== "file") throw new UserError(`There is no file ${path}.`);
    return path;
  }
  const [own = "", ...script] = selfCommand();
  const how = `Give the executable for it, which each release has: \`${product.name} host add ${name} --executable FILE\`.`;
  if (script.length > 0)
    throw new UserError(`This program runs from its source, so there is no executable to copy. ${how}`);
  if (system !== ownSystem())
    throw new UserError(`${name} is ${system}, and this machine is ${ownSystem()}. ${how}`);
  return own;
}

async function checksumOf(path: string): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  for await (const piece of Bun.file(path).stream()) hasher.update(piece);
  return hasher.digest("hex");
}

// What another machine says is shown in a terminal.
function wordsOf({ name, detail, remedy }: Omit<z.output<typeof finding>, "ok">) {
  const own = { name: harmless(name), detail: harmless(detail) };
  return remedy === undefined ? own : { ...own, remedy: harmless(remedy) };
}

// What stands before it comes from the login shell there.
function findingsIn(text: string): z.output<typeof finding>[] | undefined {
  try {
    const from = text.indexOf("{");
    const { findings } = z.object({ findings: z.array(finding) }).parse(JSON.parse(text.slice(from)));
    return findings.map(({ ok, ...words }) => ({ ok, ...wordsOf(words) }));
  } catch {
    return undefined;
  }
}
