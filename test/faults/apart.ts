// Runs this program again in namespaces of its own, of processes and of the network: it reaches nothing else, nothing else is
// touched, and nothing is left of it, even if it is killed.

/** What says to a program that it runs apart. */
const variable = "RUNS_APART";

/** As its first process, a shell, which waits for whatever has lost its parent. */
const shell = ["sh", "-c", 'ip link set lo up; "$@"; exit $?', "sh"];
const apart = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"];
const tools = ["ip", "tc", "unshare", "nsenter", "setpriv"];

export const runsApart = process.env[variable] !== undefined;

/** Runs this program again, with its arguments, and gives its exit status. Where that is not possible, says why. */
export async function runApart(): Promise<number> {
  const why = whyNot();
  if (why !== undefined) {
    console.error(
      `--namespaces: network namespaces cannot be made here, because ${why}. It needs Linux, root, and Debian's packages iproute2 and util-linux.`,
    );
    return 2;
  }
  // It ends with us, and with it the first process of the namespace, and with that all others.
  const child = Bun.spawn(["setpriv", "--pdeathsig", "KILL", ...apart, ...shell, ...process.argv], {
    env: { ...process.env, [variable]: "1" },
    stdio: ["ignore", "inherit", "inherit"],
  });
  return await child.exited;
}

function whyNot(): string | undefined {
  if (process.platform !== "linux") return "this is not Linux";
  if (process.getuid?.() !== 0) return "this user is not root";
  const missing = tools.filter((name) => Bun.which(name) === null);
  if (missing.length > 0) return `there is no ${missing.join(", ")} on PATH`;
  const cable = "ip link add name a type veth peer name b && tc qdisc add dev a root bfifo limit 1";
  const tried = Bun.spawnSync([...apart, "sh", "-c", cable], { stdout: "ignore", stderr: "pipe" });
  return tried.success ? undefined : tried.stderr.toString().trim();
}
