// Brings our program to another machine: asks it what it is, copies the executable unless it has the same, and tries it.
import { cleanEnvironment } from "../claude/environment.ts";
import { product } from "../model/product.ts";
import { shellQuoted } from "../model/shell-quoted.ts";
import { settledWithin } from "../platform/clock.ts";
import { isNoOrphan } from "../platform/orphans.ts";
import { messageOf } from "../platform/system-error.ts";
import { sshCommand } from "./ssh-command.ts";
import { lastWordsMs } from "./ssh-process.ts";

/** How long each step may take, in milliseconds; copying may take longer. */
const stepMs = 120_000;
const copyMs = 1_800_000;

/** What a machine said. */
export type Said = { ok: true; out: string } | { ok: false; because: string };

/** Runs a POSIX script on a machine, with a file as its standard input. */
export async function runThere(
  host: string,
  script: string,
  { input, patienceMs = stepMs }: { input?: string; patienceMs?: number } = {},
): Promise<Said> {
  // The user's shell there may be any.
  const words = sshCommand(host, ["sh", "-c", script]);
  if (!words) return { ok: false, because: "there is no `ssh` on the PATH" };
  try {
    const ssh = isNoOrphan(
      Bun.spawn(words, {
        env: cleanEnvironment(process.env),
        stdin: input === undefined ? "ignore" : Bun.file(input),
        stdout: "pipe",
        stderr: "pipe",
        windowsHide: true,
        timeout: patienceMs,
      }),
    );
    const printed = Promise.all([ssh.stdout.text(), ssh.stderr.text()]);
    const code = await ssh.exited;
    // A jump that stays keeps them open.
    const isWhole = await settledWithin(printed, lastWordsMs);
    if (!isWhole) return { ok: false, because: "the connection did not end" };
    const [out, err] = await printed;
    if (code === 0) return { ok: true, out };
    const last = err.trim().split("\n").at(-1) ?? "";
    return { ok: false, because: last || `it ended with ${ssh.signalCode ?? code}` };
  } catch (error) {
    return { ok: false, because: messageOf(error) };
  }
}

/** A machine, as it describes itself. */
export interface Described {
  /** As `uname -sm` says. */
  system: string;
  /** Where programs keep their state there. */
  stateBase: string;
}

// Behind a mark, because a login shell may print something first.
const mark = "@@";
const describe = `printf '${mark}%s\\n' "$(uname -sm)"
if [ "$(uname -s)" = Darwin ]; then base="$HOME/Library/Application Support"; else base="\${XDG_STATE_HOME:-$HOME/.local/state}"; fi
printf '${mark}%s\\n' "$base"`;

/** What the machine is, or why it cannot be asked. */
export async function describedHost(
  host: string,
): Promise<({ ok: true } & Described) | { ok: false; because: string }> {
  const said = await runThere(host, describe);
  if (!said.ok) return said;
  const [system = "", stateBase = ""] = said.out
    .split("\n")
    .flatMap((line) => (line.includes(mark) ? [line.slice(line.indexOf(mark) + mark.length)] : []));
  if (!stateBase.startsWith("/")) return { ok: false, because: "it has no POSIX shell" };
  return { ok: true, system, stateBase };
}

/** This machine in the words of `uname -sm`. */
export function ownSystem(): string {
  const name = { linux: "Linux", darwin: "Darwin" }[String(process.platform)] ?? process.platform;
  const arm = process.platform === "darwin" ? "arm64" : "aarch64";
  return `${name} ${process.arch === "arm64" ? arm : "x86_64"}`;
}

/** Where an executable with this checksum is there. */
export function placeThere(stateBase: string, checksum: string): string {
  return `${stateBase}/${product.name}/bin/${checksum.slice(0, 16)}/${product.name}`;
}

/** Copies the executable there, unless it is there. Returns whether it had to be copied; or what went wrong. */
export async function copyThere(
  host: string,
  executable: string,
  { path, checksum }: { path: string; checksum: string },
): Promise<{ ok: true; isCopied: boolean } | { ok: false; because: string }> {
  const at = shellQuoted(path, "linux");
  const sum = `{ sha256sum ${at} || shasum -a 256 ${at}; } 2>/dev/null | cut -d ' ' -f 1`;
  const known = await runThere(
    host,
    `test -x ${at} && test "$(${sum})" = ${checksum} && echo same || echo other`,
  );
  if (!known.ok) return known;
  if (/^same$/m.test(known.out)) return { ok: true, isCopied: false };
  const folder = shellQuoted(path.slice(0, path.lastIndexOf("/")), "linux");
  const script = `umask 077 && mkdir -p ${folder} && half=${at}.$$ && cat > "$half" && chmod 700 "$half" && mv -f "$half" ${at} && test "$(${sum})" = ${checksum} || { echo "the copy differs from the original" >&2; exit 1; }`;
  const copied = await runThere(host, script, { input: executable, patienceMs: copyMs });
  return copied.ok ? { ok: true, isCopied: true } : copied;
}
