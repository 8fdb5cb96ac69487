// Whether everything is there that a session needs, on exactly the path that a session takes.
import { z } from "zod";
import { findClaude, installAdvice, knownDirectories, pathDirectories } from "../claude/find.ts";
import { type Configuration, variableOf } from "../model/configuration.ts";
import { isExecutable, kindAt, realPath } from "../platform/files.ts";
import { dirname, homeDirectory, isWithin, join } from "../platform/paths.ts";
import { heldText } from "../report/answer.ts";
import { Holds } from "../store/holds.ts";
import { accountOf } from "./account.ts";
import { type InForce, readConfiguration, stateDirectoryOf } from "./configuration.ts";
import { type Context, Fault, valueOrFault } from "./context.ts";
import { check } from "./faults.ts";
import type { Operation } from "./operation.ts";
import { hindranceToWriting } from "./plan.ts";
import { type ClaudeAccount, probeSession, probeVersion } from "./probe.ts";

const input = z.strictObject({});

const findingSchema = z.object({
  name: z.string(),
  ok: z.boolean(),
  detail: z.string(),
  remedy: z.string().optional().meta({ description: "What to do about it." }),
});
type Finding = z.infer<typeof findingSchema>;

const output = z.object({ ok: z.boolean(), findings: z.array(findingSchema) });

/** Older ones lack what a session is started with. */
const oldestVersion = "2.0.0";

export const doctor: Operation<typeof input, typeof output> = {
  name: "doctor",
  title: "Check that sessions can run",
  description:
    "Checks whether claude is found, runs and is logged in, on exactly the path that a session takes, and whether the directories in force can be used. Asks no model, so that nothing is spent.",
  input,
  output,
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  run: async (context, given) => {
    valueOrFault(check(input, given));
    const read = readConfiguration();
    const inForce = read.ok ? read.value : undefined;
    const findings: Finding[] = [
      read.ok
        ? { name: "configuration", ok: true, detail: sourcesText(read.value) }
        : {
            name: "configuration",
            ok: false,
            detail: read.faults.join("\n"),
            remedy: "Mend it where it is said; until then nothing starts.",
          },
      ...(await claudeFindings(inForce?.configuration)),
      credentials(),
      ...(inForce ? placeFindings(context, inForce) : []),
    ];
    findings.push(...holdFindings(context, findings));
    return { ok: findings.every((finding) => finding.ok), findings };
  },
};

function sourcesText({ settings, file }: InForce): string {
  const set = settings.filter(({ source }) => source !== "default");
  if (set.length === 0) return `Defaults; ${file} may hold others.`;
  return set.map(({ name, source }) => `${name} from ${source}`).join(", ");
}

async function claudeFindings(configuration: Configuration | undefined): Promise<Finding[]> {
  const claude = findClaude(configuration?.claudePath);
  if (!claude.found) {
    const detail = claude.message.replace(` ${installAdvice}`, "");
    return [{ name: "claude", ok: false, detail, remedy: installAdvice }];
  }
  const from = homeDirectory();
  const found: Finding = { name: "claude", ok: true, detail: whichText(claude.path, configuration) };
  const version = versionFinding(await probeVersion(claude.path, from), claude.path);
  if (!version.ok) return [found, version];
  const session = await probeSession(claude.path, from);
  if (session.ok) {
    const detail = "Starts as a session does, and answers. No model was asked.";
    return [found, version, { name: "session", ok: true, detail }, loginFinding(session.value)];
  }
  const remedy = `Run \`${claude.path}\` in a terminal and see what it says.`;
  return [
    found,
    version,
    { name: "session", ok: false, detail: `${claude.path} ${session.message}`, remedy },
  ];
}

function whichText(path: string, configuration: Configuration | undefined): string {
  const real = realPath(path);
  const named = real === path ? path : `${path} (${real})`;
  if (configuration?.claudePath !== undefined) return `${named}, as claudePath says`;
  const others = [...new Set([...pathDirectories(process.env["PATH"]), ...knownDirectories()])]
    .map((directory) => join(directory, process.platform === "win32" ? "claude.exe" : "claude"))
    .filter((other) => isExecutable(other) && realPath(other) !== real);
  if (others.length === 0) return named;
  return `${named}\nAlso there: ${others.join(", ")}. ${variableOf("claudePath")} chooses another one.`;
}

function versionFinding(probed: Awaited<ReturnType<typeof probeVersion>>, path: string): Finding {
  const name = "version";
  const remedy = `Run \`${path} update\`, or install it anew: \`npm install -g @anthropic-ai/claude-code\`.`;
  if (!probed.ok) return { name, ok: false, detail: `\`${path} --version\` ${probed.message}`, remedy };
  const version = /\d+\.\d+\.\d+/.exec(probed.value)?.[0];
  if (version === undefined)
    return { name, ok: false, detail: `It calls itself ${JSON.stringify(probed.value)}.`, remedy };
  if (Bun.semver.order(version, oldestVersion) >= 0) return { name, ok: true, detail: version };
  return { name, ok: false, detail: `${version} is older than ${oldestVersion}.`, remedy };
}

// Seen with 2.1.x: without a login the account has a `tokenSource` of "none" and no `apiKeySource`; with one, a
// `subscriptionType`. None of it says whether the API will take the credential.
function loginFinding(account: ClaudeAccount): Finding {
  const name = "login";
  const { apiProvider = "firstParty", apiKeySource, tokenSource, subscriptionType, email } = account;
  const remedy = 'To be sure, run one session: `parallel-claude-code-mcp run "Say hello"`.';
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

const credentialNames =
  /^(?:ANTHROPIC_(?:API_KEY|AUTH_TOKEN)|CLAUDE_CODE_(?:OAUTH_TOKEN|API_KEY.*|USE_.+)|AWS_BEARER_TOKEN_BEDROCK)$/;

// Names alone: a value of these belongs into no output.
function credentials(): Finding {
  const names = Object.keys(process.env).filter((name) => credentialNames.test(name) && process.env[name]);
  const base = process.env["ANTHROPIC_BASE_URL"] === undefined ? "" : " ANTHROPIC_BASE_URL is set.";
  const detail =
    names.length === 0
      ? "None in the environment: sessions use the login."
      : `${names.sort().join(", ")} in the environment: sessions are billed to that, and not to a subscription's login.`;
  return { name: "credentials", ok: true, detail: `${detail}${base}` };
}

function placeFindings(context: Context, { configuration, file }: InForce): Finding[] {
  return [
    state(context, configuration),
    outputDirectory(configuration),
    workingDirectory(context, configuration, file),
  ];
}

function state(context: Context, configuration: Configuration): Finding {
  const name = "state";
  const directory = stateDirectoryOf(configuration);
  try {
    context.store.list({ limit: 1 });
    return { name, ok: true, detail: directory };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { name, ok: false, detail: error.message };
  }
}

// A login or credit that is there again is tried at once, and not when the batches would have tried it.
function holdFindings(context: Context, before: readonly Finding[]): Finding[] {
  if (before.some(({ name, ok }) => !ok && (name === "state" || name === "configuration"))) return [];
  const { store } = context;
  const holds = new Holds(store.database, accountOf(process.env, store.salt()).hash);
  const isContent = before.every(({ name, ok }) => ok || (name !== "login" && name !== "session"));
  const hastened = isContent ? holds.hasten(["auth", "billing"], Date.now()) : 0;
  if (hastened > 0) return [{ name: "holds", ok: true, detail: "Batches that wait for a login try it now." }];
  return holds.all().map((hold) => ({ name: "holds", ok: false, detail: heldText(hold) }));
}

// Looked at only: it is made when the first result is written.
function outputDirectory({ outputDirectory: directory }: Configuration): Finding {
  const name = "output";
  const remedy = `Set ${variableOf("outputDirectory")} to a directory that you can write.`;
  const hindrance = hindranceToWriting(directory);
  if (hindrance !== undefined)
    return { name, ok: false, detail: `${directory} cannot be written: ${hindrance}.`, remedy };
  const made = kindAt(directory) === "directory" ? "" : ", which is made when it is needed";
  return { name, ok: true, detail: `${directory}${made}` };
}

function workingDirectory(context: Context, configuration: Configuration, file: string): Finding {
  const name = "directory";
  const directory = configuration.workingDirectory ?? context.workingDirectory;
  const roots = (configuration.allowedRoots ?? []).map(realPath);
  const allowed = roots.some((root) => isWithin(realPath(directory), root));
  if (kindAt(directory) === "directory" && directory !== dirname(directory) && allowed)
    return { name, ok: true, detail: `${directory}, where sessions work unless told otherwise` };
  const why =
    kindAt(directory) === "directory"
      ? `no place to work in; allowed is what lies below ${roots.join(", ")}`
      : "not a directory";
  return {
    name,
    ok: false,
    detail: `${directory} is ${why}.`,
    remedy: `Give \`workingDirectory\` with each call, set ${variableOf("workingDirectory")}, or add to \`allowedRoots\` in ${file}.`,
  };
}
