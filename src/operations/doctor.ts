// Checks whether everything that a session needs is there, along exactly the path that a session takes.
import { z } from "zod";
import { projectWarnings } from "../claude/project-settings.ts";
import { type Configuration, variableOf } from "../model/configuration.ts";
import { exists, kindAt, readText, realPath } from "../platform/files.ts";
import { dirname, homeDirectory, isWithin, join } from "../platform/paths.ts";
import { countText } from "../report/amounts.ts";
import { heldText } from "../report/answer.ts";
import { stepText } from "../report/next-step.ts";
import { optionText } from "../report/option-words.ts";
import { settledRow, stateWordOf } from "../store/batch-status.ts";
import { StoreProblem } from "../store/database.ts";
import { Holds, isDue } from "../store/holds.ts";
import { layoutOf } from "../store/layout.ts";
import { accountOf } from "./account.ts";
import { type InForce, readConfiguration, stateDirectoryOf } from "./configuration.ts";
import { type Context, UserError, valueOrThrow } from "./context.ts";
import { claudeFindings } from "./doctor-claude.ts";
import { fleetFindings, fleetsNamed } from "./doctor-fleet.ts";
import { traceFindings } from "./doctor-traces.ts";
import { farText, interruptedText } from "./far-text.ts";
import { check } from "./faults.ts";
import type { Operation } from "./operation.ts";
import { whyUnwritable } from "./places.ts";

const input = z.strictObject({
  fleet: z
    .string()
    .meta({
      description:
        "Also check this fleet, as its workers see it from this machine; all fleets without a name.",
      placeholder: "NAME",
      mayBeBare: true,
    })
    .optional(),
});

const findingSchema = z.object({
  name: z.string(),
  ok: z.boolean(),
  detail: z.string(),
  remedy: z.string().optional().meta({ description: "What to do about it." }),
});
/** One check with its result. */
export type Finding = z.infer<typeof findingSchema>;

const output = z.object({ ok: z.boolean(), findings: z.array(findingSchema) });

export const doctor: Operation<typeof input, typeof output> = {
  title: "Check that sessions can run",
  description:
    "Checks that claude is found, runs and is logged in, exactly as a session would start it, and that the configured directories are usable. Asks no model, so it costs nothing.",
  input,
  output,
  run: async (context, given) => {
    const { fleet } = valueOrThrow(check(input, given));
    const read = readConfiguration();
    const inForce = read.faults.length === 0 ? read : undefined;
    const findings: Finding[] = [
      configurationFinding(read),
      ...(await claudeFindings(inForce?.configuration)),
      credentials(),
      ...(inForce ? placeFindings(context, inForce) : []),
      ...(inForce ? await hostFindings(context, inForce.configuration) : []),
    ];
    findings.push(...holdFindings(context, findings), ...batchFindings(context, findings));
    if (inForce) findings.push(...(await traceFindings(inForce.configuration)));
    if (fleet !== undefined && inForce)
      for (const [name, settings] of fleetsNamed(fleet, inForce.configuration, inForce.file))
        findings.push(...(await fleetFindings(name, settings)));
    return { ok: findings.every((finding) => finding.ok), findings };
  },
};

// Only those that somebody has added are asked, and loaded is what asks only then.
async function hostFindings(context: Context, configuration: Configuration): Promise<Finding[]> {
  const { hostsFile } = layoutOf(stateDirectoryOf(configuration));
  if (!exists(hostsFile)) return [];
  const { findingsOfHosts } = await import("./doctor-hosts.ts");
  return await findingsOfHosts(context);
}

function configurationFinding({ faults, warnings, ...inForce }: InForce): Finding {
  const name = "configuration";
  if (faults.length > 0)
    return {
      name,
      ok: false,
      detail: [...faults, ...warnings].join("\n"),
      remedy: "Fix it in the place that the message names. Until then, nothing starts.",
    };
  const detail = sourcesText({ ...inForce, faults, warnings });
  if (warnings.length === 0) return { name, ok: true, detail };
  return {
    name,
    ok: true,
    detail: [detail, ...warnings].join("\n"),
    remedy: "Correct the name, or remove it if it belongs to another version of this program.",
  };
}

function sourcesText({ settings, file }: InForce): string {
  const set = settings.filter(({ source }) => source !== "default");
  if (set.length === 0) return `All settings have their defaults. ${file} can change them.`;
  return set.map(({ name, source }) => `${name} from ${source}`).join(", ");
}

const credentialNames =
  /^(?:ANTHROPIC_(?:API_KEY|AUTH_TOKEN)|CLAUDE_CODE_(?:OAUTH_TOKEN|API_KEY.*|USE_.+)|AWS_BEARER_TOKEN_BEDROCK)$/;

// Only names: the values must not appear in any output.
function credentials(): Finding {
  const names = Object.keys(process.env).filter((name) => credentialNames.test(name) && process.env[name]);
  const base = process.env["ANTHROPIC_BASE_URL"] === undefined ? "" : " ANTHROPIC_BASE_URL is set.";
  const login = names.length > 0 ? loginFile() : undefined;
  if (login !== undefined) {
    return {
      name: "credentials",
      ok: true,
      detail: `${names.sort().join(", ")} in the environment, and a login in ${login}: sessions are billed to the former, not to the login's subscription.${base}`,
      remedy: `To use the login, remove ${names.join(", ")} from the environment (the client's \`env\` block, or a shell's file).`,
    };
  }
  const detail =
    names.length === 0
      ? "None in the environment: sessions use the login."
      : `${names.sort().join(", ")} in the environment: sessions are billed to that, and not to a subscription's login.`;
  return { name: "credentials", ok: true, detail: `${detail}${base}` };
}

// On macOS a login is in the keychain; the file still names its account.
function loginFile(): string | undefined {
  const directory = process.env["CLAUDE_CONFIG_DIR"];
  const secret = join(directory ?? join(homeDirectory(), ".claude"), ".credentials.json");
  if (exists(secret)) return secret;
  const file = join(directory ?? homeDirectory(), ".claude.json");
  if (!exists(file)) return undefined;
  try {
    const known = z.object({ oauthAccount: z.looseObject({}) }).safeParse(JSON.parse(readText(file)));
    return known.success ? file : undefined;
  } catch {
    // Whether it is readable does not matter here.
    return undefined;
  }
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
    if (!(error instanceof UserError)) throw error;
    const { cause } = error;
    if (!(cause instanceof StoreProblem)) return { name, ok: false, detail: error.message };
    return { name, ok: false, detail: cause.problem, remedy: cause.remedy };
  }
}

function isWithoutStore(before: readonly Finding[]): boolean {
  return before.some(({ name, ok }) => !ok && (name === "state" || name === "configuration"));
}

// A login, credit or usage may be back sooner than expected, so one session probes at once.
function holdFindings(context: Context, before: readonly Finding[]): Finding[] {
  if (isWithoutStore(before)) return [];
  const { store } = context;
  const holds = new Holds(store.database, accountOf(process.env, store.salt()).hash);
  const isContent = before.every(({ name, ok }) => ok || (name !== "login" && name !== "session"));
  const hastened = isContent ? holds.hasten(Date.now()) : 0;
  if (hastened > 0)
    return [
      {
        name: "holds",
        ok: true,
        detail: "Batches that wait for a login, for credit or for a limit try again now.",
      },
    ];
  const now = Date.now();
  // A hold that is due stops nobody: the next session probes it.
  return holds
    .all()
    .flatMap((hold) => (isDue(hold, now) ? [] : [{ name: "holds", ok: false, detail: heldText(hold, now) }]));
}

/** A runner reports every 15 seconds. One that missed a report has probably gone, in milliseconds. */
const silentMs = 30_000;

// A batch without processes waits for its user; one that is not visible from here holds slots that others wait for.
function batchFindings(context: Context, before: readonly Finding[]): Finding[] {
  if (isWithoutStore(before)) return [];
  return context.store.unended().flatMap((unended): Finding[] => {
    const row = settledRow(unended, context.store);
    if (row.endedAt !== undefined) return [];
    const name = "batch";
    const open = countText(row.counts.queued + row.counts.running, "task");
    const { batchId } = row;
    const remedy = `Resume it with ${stepText("command-line", { do: "retry", batchId })}, or end it with ${stepText("command-line", { do: "cancel", batchId })}.`;
    const far = farText(row, "command-line");
    if (far !== undefined)
      return [
        {
          name,
          ok: Date.now() - row.aliveAt < silentMs,
          detail: `${row.batchId} has ${open} to do. ${far}`,
          remedy,
        },
      ];
    if (stateWordOf(row) !== "interrupted") return [];
    const detail = `${row.batchId} is interrupted, with ${open} to do. ${interruptedText(row)}`;
    return [{ name, ok: true, detail, remedy }];
  });
}

// Only checked: it is created with the first result.
function outputDirectory({ outputDirectory: directory }: Configuration): Finding {
  const name = "output";
  const remedy = `Set ${variableOf("outputDirectory")} to a directory that you can write.`;
  const reason = whyUnwritable(directory);
  if (reason !== undefined)
    return { name, ok: false, detail: `${directory} cannot be written: ${reason}.`, remedy };
  const made = kindAt(directory) === "directory" ? "" : ", which will be created when it is needed";
  return { name, ok: true, detail: `${directory}${made}` };
}

function workingDirectory(context: Context, configuration: Configuration, file: string): Finding {
  const name = "directory";
  const directory = configuration.workingDirectory ?? context.workingDirectory;
  const roots = (configuration.allowedRoots ?? []).map(realPath);
  const allowed = roots.some((root) => isWithin(realPath(directory), root));
  if (kindAt(directory) === "directory" && directory !== dirname(directory) && allowed) {
    const detail = `${directory}, the sessions' default working directory.`;
    const [warning, ...others] = projectWarnings(directory, { restricted: false });
    if (warning === undefined) return { name, ok: true, detail };
    const remedy = `Look into these files before you let sessions work there, or ignore them with ${optionText("command-line", "settingSources", "user")}.`;
    return { name, ok: true, detail: [detail, warning, ...others].join(" "), remedy };
  }
  const why =
    kindAt(directory) === "directory" ? `outside the allowed roots (${roots.join(", ")})` : "not a directory";
  return {
    name,
    ok: false,
    detail: `${directory} is ${why}.`,
    remedy: `Give \`workingDirectory\` with each call, set ${variableOf("workingDirectory")}, or add to \`allowedRoots\` in ${file}.`,
  };
}
