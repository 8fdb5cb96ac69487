// What doctor checks about `claude` itself: where it is, whether it runs, and whether it is logged in.
import { sessionEnvironment } from "../claude/environment.ts";
import { findClaude, knownDirectories, pathDirectories } from "../claude/find.ts";
import { isTooOld, lacksOf, oldestVersion, updateAdvice, versionIn } from "../claude/versions.ts";
import { type Configuration, variableOf } from "../model/configuration.ts";
import { cut } from "../model/cut.ts";
import { product } from "../model/product.ts";
import { shellQuoted, startText } from "../model/shell-quoted.ts";
import { isExecutable, kindAt, readHead, realPath } from "../platform/files.ts";
import { homeDirectory, join } from "../platform/paths.ts";
import type { Finding } from "./doctor.ts";
import { type ClaudeAccount, probeSession, probeVersion } from "./probe.ts";

/** Follows the path of a session, as far as possible. */
export async function claudeFindings(configuration: Configuration | undefined): Promise<Finding[]> {
  const claude = findClaude(configuration?.claudePath);
  if (!claude.found) {
    return [{ name: "claude", ok: false, ...withoutRights(configuration, claude.message, claude.remedy) }];
  }
  const from = homeDirectory();
  const found: Finding = { name: "claude", ok: true, detail: whichText(claude, configuration) };
  const version = versionFinding(await probeVersion(claude.path, from), claude.path);
  if (!version.ok) return [found, version];
  const session = await probeSession(claude.path, from);
  if (session.ok) {
    const detail = "Starts as a session does, and answers. No model was asked.";
    return [found, version, { name: "session", ok: true, detail }, loginFinding(session.value)];
  }
  const remedy = `Run ${startText(claude.path)} in a terminal and see what it says.`;
  return [
    found,
    version,
    { name: "session", ok: false, detail: `${claude.path} ${session.message}`, remedy },
  ];
}

// A file without permission to run it was found, but is not usable.
function withoutRights(
  configuration: Configuration | undefined,
  detail: string,
  remedy: string,
): Pick<Finding, "detail" | "remedy"> {
  const places = configuration?.claudePath === undefined ? searchedFor("claude") : [configuration.claudePath];
  const dead = places.find((path) => kindAt(path) === "file" && !isExecutable(path));
  if (dead === undefined) return { detail, remedy };
  return {
    detail: `${detail}\n${dead} is there, but may not be run.`,
    remedy: `Run \`chmod +x ${shellQuoted(dead)}\`.`,
  };
}

function searchedFor(name: string): string[] {
  const directories = new Set([...pathDirectories(process.env["PATH"]), ...knownDirectories()]);
  return [...directories].map((directory) => join(directory, name));
}

/** The program in a script's first line; undefined for an executable. */
function interpreterOf(path: string): string | undefined {
  const line = /^#!\s*(\S+)(?:[ \t]+(?:-S[ \t]+)?(\S+))?/.exec(
    readHead(path, 200, { followsLinks: true }) ?? "",
  );
  const [, program, argument] = line ?? [];
  return program?.endsWith("/env") ? argument : program;
}

// A Node.js script needs `node`, which is often missing from a desktop application's PATH.
function missingInterpreter(path: string): string | undefined {
  const name = interpreterOf(path);
  if (name === undefined) return undefined;
  const { PATH = "" } = sessionEnvironment(process.env);
  const found = name.startsWith("/") ? isExecutable(name) : Bun.which(name, { PATH }) !== null;
  return found ? undefined : name;
}

function whichText(
  { path, where }: { path: string; where: string },
  configuration: Configuration | undefined,
): string {
  const real = realPath(path);
  const interpreter = interpreterOf(path);
  const script = interpreter === undefined ? "" : `, a script that ${interpreter} runs`;
  const named = `${real === path ? path : `${path} (${real})`}${script}, ${where}`;
  if (configuration?.claudePath !== undefined) return named;
  const others = searchedFor(process.platform === "win32" ? "claude.exe" : "claude").filter(
    (other) => isExecutable(other) && realPath(other) !== real,
  );
  if (others.length === 0) return named;
  return `${named}\nAlso there: ${others.join(", ")}. ${variableOf("claudePath")} chooses another one.`;
}

function versionFinding(probed: Awaited<ReturnType<typeof probeVersion>>, path: string): Finding {
  const name = "version";
  const interpreter = missingInterpreter(path);
  if (!probed.ok && interpreter !== undefined) {
    const detail = `${path} is a script that needs \`${interpreter}\`, which is not on the PATH of sessions.`;
    const how = `Add the directory of \`${interpreter}\` to PATH in the client's \`env\` block, or install the claude that needs none: https://code.claude.com/docs.`;
    return { name, ok: false, detail, remedy: how };
  }
  const remedy = updateAdvice(path);
  if (!probed.ok)
    return { name, ok: false, detail: `\`${shellQuoted(path)} --version\` ${probed.message}`, remedy };
  const version = versionIn(probed.value);
  if (version === undefined) {
    // A wrapper may print anything. The next check shows whether sessions start with it.
    const detail = `Unknown: \`${shellQuoted(path)} --version\` prints ${JSON.stringify(cut(probed.value, 80))}. ${oldestVersion} or newer is required.`;
    return { name, ok: true, detail };
  }
  if (isTooOld(version))
    return {
      name,
      ok: false,
      detail: `${version} is older than ${oldestVersion}, the oldest supported.`,
      remedy,
    };
  const lacks = lacksOf(version);
  return {
    name,
    ok: true,
    detail: lacks.length === 0 ? version : `${version}. It lacks ${lacks.join(", ")}.`,
  };
}

// Seen with 2.1.x: without a login the account has a `tokenSource` of "none" and no `apiKeySource`; with one, a
// `subscriptionType`. Neither shows whether the API will accept the credential.
function loginFinding(account: ClaudeAccount): Finding {
  const name = "login";
  const { apiProvider = "firstParty", apiKeySource, tokenSource, subscriptionType, email } = account;
  const remedy = `To be sure, run one session: \`${product.name} run "Say hello"\`.`;
  if (apiProvider !== "firstParty")
    return { name, ok: true, detail: `Through ${apiProvider}, whose login is not looked at here.`, remedy };
  if (isNamed(apiKeySource)) return { name, ok: true, detail: `API key from ${apiKeySource}, not tried.` };
  if (isNamed(tokenSource)) return { name, ok: true, detail: `Token from ${tokenSource}, not tried.` };
  if (subscriptionType !== undefined || email !== undefined)
    return { name, ok: true, detail: `Logged in (${subscriptionType ?? "an account"}), not tried.` };
  if (tokenSource === "none" && apiKeySource === undefined) {
    const login = "Run `claude` and log in with `/login`, or set ANTHROPIC_API_KEY.";
    return { name, ok: false, detail: "claude is not logged in.", remedy: login };
  }
  return { name, ok: true, detail: "Unknown: claude does not say whether it is logged in.", remedy };
}

function isNamed(source: string | undefined): boolean {
  return source !== undefined && source !== "none";
}
