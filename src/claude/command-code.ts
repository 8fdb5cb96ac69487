// Programs that run any code, or start other programs: a rule for their name alone would allow as much as `Bash`.

/** Programs that start the command after them. */
export const starters = /^(?:command|doas|env|sudo|xargs|npx|bunx|pnpx|uvx|pipx)$/;
/** The same, with a second word. */
export const startingSecond =
  /^(?:(?:uv|poetry|pipenv|pdm|hatch|rye) run|bundle exec|(?:npm|pnpm|yarn) (?:exec|dlx)|bun x|pipx run)$/;
/** The starters that download what they start. */
export const packageRunners = /^(?:npx|bunx|pnpx|uvx|pipx)$/;
/** Programs whose arguments or input can be any code. */
const interpreter =
  /^(?:(?:ba|c|da|fi|k|tc|z)?sh|pwsh|python[\d.]*|pypy3?|node|nodejs|ruby|perl|php|lua|Rscript|julia|osascript|tclsh|tsx|ts-node)$/;
const codeRunners = new Set(
  `awk gawk mawk nawk make gmake tar rsync ssh parallel watch expect vi vim nvim ed ex script su at batch crontab nsenter
  chroot strace gdb flock setsid start-stop-daemon screen tmux m4 dc busybox`.split(/\s+/),
);
/** Programs that can write anywhere, because their paths are not checked. */
export const anyPath = new Set(["curl", "dd", "install", "ln", "scp", "truncate", "unzip", "wget"]);

/** Whether a command can run any code, with these or other arguments. */
export function runsCode([path = "", second = "", third = ""]: readonly string[]): boolean {
  const name = programOf(path);
  if (interpreter.test(name) || codeRunners.has(name)) return true;
  if (name === "docker" || name === "podman")
    return /^(?:run|exec)$/.test(second === "compose" ? third : second);
  return (name === "bun" || name === "deno") && (second === "eval" || second === "repl" || isInline(second));
}

/** Whether its code comes from stdin, so that not even the exact command limits it. */
export function readsCode([name = "", ...rest]: readonly string[]): boolean {
  const isFile = (word: string) => !word.startsWith("-");
  const isStdin = (word: string) => word === "-" || /^-\w*s\w*$/.test(word) || /^\/(?:dev|proc)\//.test(word);
  return (
    interpreter.test(programOf(name)) && (rest.some(isStdin) || !(rest.some(isFile) || rest.some(isInline)))
  );
}

/**
 * The words up to the script: `python3 -u build.py`. Undefined if there is none, or after an unknown option, which may
 * take the next word as its value.
 */
export function scriptWords([name = "", ...rest]: readonly string[]): string[] | undefined {
  if (!interpreter.test(programOf(name))) return undefined;
  if (/^python/.test(programOf(name)) && rest[0] === "-m" && /^\w[\w.]*$/.test(rest[1] ?? ""))
    return [name, ...rest.slice(0, 2)];
  const at = rest.findIndex((word) => !/^-[Buvx]+$/.test(word));
  const script = rest[at] ?? "";
  const isFile = /^[\w./~@+][\w./~@+-]*$/.test(script) && !/^\/(?:dev|proc)\//.test(script);
  return isFile ? [name, ...rest.slice(0, at + 1)] : undefined;
}

function isInline(word: string): boolean {
  return /^(?:-\w*[ceEpr]\w*|--(?:eval|print|command)(?:=.*)?)$/.test(word);
}

/** The name of a program without its directory. */
export function programOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
