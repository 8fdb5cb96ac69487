// Asks the keeper of a far machine what is there, without a batch.
import { product } from "../model/product.ts";
import { messageOf } from "../platform/system-error.ts";
import { farCommands } from "./commands.ts";
import { FrameCutter, frameOf } from "./frames.ts";
import { Greeted, protocol } from "./greeting.ts";
import { type FromKeeper, fromKeeper, type Overview, type ToKeeper } from "./messages.ts";
import { sshCommand } from "./ssh-command.ts";
import { Ssh } from "./ssh-process.ts";

/** How long it may take in all, in milliseconds. */
const patienceMs = 60_000;
/** How long a keeper is waited for that leaves, in milliseconds: a session may have begun at that moment. */
const leavingMs = 5_000;

/** What a machine answered; or why it did not, in words for people. */
export type Told =
  | { ok: true; version: string; overview: Overview; pruned?: { sessions: number; bytes: number } }
  | { ok: false; because: string };

/**
 * Has the next session on a machine start with the variables that are set there now. The keeper has those of its own start, and
 * leaves for that as soon as nothing runs. One that has gone meanwhile, or is of another version, needs no word.
 */
export async function renewKeeper(host: string, command: readonly string[]): Promise<void> {
  const words = sshCommand(host, [...command, farCommands.relay]);
  if (!words) return;
  const ssh = new Ssh(words);
  const timer = setTimeout(() => ssh.kill("it did not answer in time"), patienceMs);
  let leaving: Timer | undefined;
  try {
    const say = (message: ToKeeper) => ssh.write(frameOf(message));
    say({ type: "status", protocol, version: product.version });
    for await (const message of messagesIn(ssh.output)) {
      if (message.type === "status") say({ type: "renew" });
      if (message.type !== "renewing") continue;
      if (!message.isNow) return;
      // It ends the connection as it goes.
      leaving = setTimeout(() => ssh.kill("all is said"), leavingMs);
    }
  } catch {
    // What it says cannot be read: it is of another version.
  } finally {
    clearTimeout(timer);
    clearTimeout(leaving);
    ssh.kill("all is said");
  }
}

/** What a keeper is asked to do, beside saying what is there. */
export type Wish = Extract<ToKeeper, { type: "prune" | "drain" }>;

/** Asks for what is there, and then to do something, if that is given. `command`: our program there. */
export async function askKeeper(host: string, command: readonly string[], wish?: Wish): Promise<Told> {
  const words = sshCommand(host, [...command, farCommands.relay]);
  if (!words) return { ok: false, because: "there is no `ssh` on the PATH" };
  try {
    return await asked(words, wish);
  } catch (error) {
    return { ok: false, because: messageOf(error) };
  }
}

async function asked(words: string[], wish: Wish | undefined): Promise<Told> {
  const ssh = new Ssh(words);
  const timer = setTimeout(() => ssh.kill("it did not answer in time"), patienceMs);
  try {
    // What a jump still holds open after its ssh has gone would never end.
    const told = answered(ssh, wish);
    return (
      (await Promise.race([told, ssh.exited.then(() => undefined)])) ?? {
        ok: false,
        because: await ssh.exited,
      }
    );
  } finally {
    clearTimeout(timer);
    ssh.kill("all is said");
  }
}

// Undefined if it ended without an answer.
async function answered(ssh: Ssh, wish: Wish | undefined): Promise<Told | undefined> {
  const say = (message: ToKeeper) => ssh.write(frameOf(message));
  say({ type: "status", protocol, version: product.version });
  let status: Extract<FromKeeper, { type: "status" }> | undefined;
  for await (const message of messagesIn(ssh.output)) {
    if (message.type === "refused") return { ok: false, because: message.because };
    if (message.type === "status") status = message;
    if (!status) continue;
    const { version, overview } = status;
    if (message.type === "pruned") return { ok: true, version, overview, pruned: message };
    if (!wish || message.type === "drained") return { ok: true, version, overview };
    say(wish);
  }
  return undefined;
}

async function* messagesIn(output: ReadableStream<Uint8Array>): AsyncGenerator<FromKeeper> {
  const greeted = new Greeted();
  const cutter = new FrameCutter();
  for await (const bytes of output)
    for (const { header } of cutter.push(greeted.push(bytes))) yield fromKeeper.parse(header);
}
