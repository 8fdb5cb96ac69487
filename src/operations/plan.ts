// Plans a batch from a request, after checking everything; nothing has run.
import type { z } from "zod";
import { findClaude } from "../claude/find.ts";
import { newBatchId } from "../model/batch-id.ts";
import { expectation, type StopCondition } from "../model/checks.ts";
import { commandWords } from "../model/configuration.ts";
import { dependsOnValues } from "../model/equal-groups.ts";
import type { Batch, SummaryRequest, Task } from "../model/event.ts";
import {
  batchOptions,
  type Concurrency,
  type SessionOptionsInput,
  sessionOptions,
} from "../model/options.ts";
import { option, prose } from "../model/prose.ts";
import { sampleOf } from "../model/sample.ts";
import type { SessionValues } from "../model/session-values.ts";
import { spanContextFrom, traceVariable } from "../model/trace.ts";
import type { PrivateFile } from "../platform/private-files.ts";
import { layoutOf } from "../store/layout.ts";
import { keyFaults, type Ordered, orderOf } from "./after.ts";
import { asMeant } from "./as-meant.ts";
import { commandFaults, stopFaults } from "./check-faults.ts";
import { checkVersion } from "./claude-version.ts";
import { stateDirectoryOf } from "./configuration.ts";
import type { Context } from "./context.ts";
import { distinct, type Fault, faultsAt, general, type Place, wrong } from "./fault.ts";
import { type Checked, check } from "./faults.ts";
import {
  fleetAsked,
  fleetDirectoryFaults,
  fleetNameOf,
  fleetOptionFaults,
  fleetTemplateFaults,
  resultsFault,
} from "./fleet-faults.ts";
import { depthFault } from "./guard.ts";
import { hostFaults, hostsAsked, runsOnHosts } from "./host-faults.ts";
import { inputFaults } from "./input-faults.ts";
import type { AnswerFile } from "./inputs/earlier-results.ts";
import { matrixOptions, type TemplateAsked, tasksOf, templateAsked } from "./inputs/template-request.ts";
import { Places } from "./places.ts";
import { pick, type RawOptions, rawObject } from "./raw-options.ts";
import { ruleWarnings } from "./rule-faults.ts";
import { combinedFaults, sessionFaults, versionNeeded } from "./session-faults.ts";
import { SettingsFiles } from "./settings-files.ts";
import { settingsWarnings } from "./settings-warnings.ts";
import { parallelInput, sessionInput } from "./spawn-input.ts";
import { changedSpendLimits } from "./spend-limits.ts";
import { textFaults } from "./text-faults.ts";
import { ConfigurationError } from "./user-error.ts";
import { variablesIn } from "./variables.ts";

type StartedBy = Batch["startedBy"];

/** A task as requested. Those without options of their own, and those of one combination, share an object of them. */
type RequestedTask = Ordered & { options: SessionOptionsInput };

/** A task as it will be stored, except for its options. */
interface FoundedTask {
  place: Place;
  options: SessionOptionsInput;
  task: Task;
}

interface BatchRequest {
  /** Options of the whole batch and of its sessions, as written. */
  shared: RawOptions;
  /** Without a template. */
  tasks: RequestedTask[];
  template?: TemplateAsked;
  isDryRun: boolean;
}

/** A batch, and the parts that are not stored with it. */
export interface PlannedBatch {
  batch: Batch;
  /** Of its variables. */
  values: SessionValues;
  /** To be written before the batch starts. */
  files: PrivateFile[];
  /** Whether the caller only asks what would be started. */
  isDryRun: boolean;
  /** Answers of an earlier batch, to be written before this one starts. */
  answers: readonly AnswerFile[];
  /** The file that an object in its options was read from. */
  fileOf(value: object): string | undefined;
  /** Stores the version of `claude` that was found meanwhile. */
  keepVersion(): void;
}

/** What a batch has for the path of a `claude` that only other machines have. */
const claudeThere = "claude";

/** A batch to which the planned tasks are added. */
export interface Joined {
  batchId: Batch["batchId"];
  /** Its tasks, which the new ones may name, and whose keys are taken. */
  tasks: readonly Ordered[];
}

/** The batch, or every fault in the request. With `joined`, only its tasks count, which come behind the others. */
export async function planBatch(
  context: Context,
  startedBy: StartedBy,
  input: unknown,
  joined?: Joined,
): Promise<Checked<PlannedBatch>> {
  const asked = askedFor(startedBy, input);
  if (!asked.ok)
    return { ok: false, faults: [...asked.faults, ...directoryFault(context, input, asked.faults)] };
  const { configuration, inForce } = context;
  // All at once, instead of one after another when they are needed.
  if (inForce.faults.length > 0) throw new ConfigurationError(inForce.faults);
  const faults: Fault[] = [];
  const depth = depthFault(context);
  if (depth !== undefined) faults.push(general(depth));
  const { shared, template } = asked.value;
  const batchWide = batchOptions.parse(pick(shared, Object.keys(batchOptions.shape)));
  const claude = findClaude(configuration.claudePath);
  const fleetName = fleetNameOf(batchWide, context);
  // Sessions on other machines are of the one that is there.
  if (!claude.found && !runsOnHosts({ ...batchWide, fleet: fleetName }, configuration))
    faults.push(general(`${claude.message} ${claude.remedy}`));

  const places = new Places(context, faults);
  const given = template ? matrixOptions(template.matrix) : optionsOf(asked.value.tasks);
  const needed = [shared, ...given].map(versionNeeded).find((version) => version !== undefined);
  const checked = claude.found ? await checkVersion(context, claude.path, needed) : undefined;
  if (checked?.fault !== undefined) faults.push(general(checked.fault));
  const hosts = hostsAsked(context, { ...batchWide, fleet: fleetName }, faults);
  places.workOn(hosts);
  const common = places.absolute(someOptions.parse(pick(shared, sessionNames)), shared, {
    place: [],
  });
  const workingDirectory = places.defaultWorkingDirectory([common, ...given]);
  const surroundings = { context, claudeVersion: checked?.version };
  faults.push(...sessionFaults(common, { ...surroundings, workingDirectory }));
  const fleet = fleetAsked(fleetName, context, faults);
  const elsewhereFaults = (options: RawOptions): Fault[] =>
    fleet ? fleetOptionFaults(options, batchWide.fleet === undefined) : [];
  faults.push(...elsewhereFaults(common));
  const base = places.baseIn(workingDirectory);
  const stopWhen = stopConditionIn(batchWide.stopWhen, places, base);
  if (stopWhen) faults.push(...stopFaults(stopWhen));
  const batchId = joined?.batchId ?? newBatchId();
  const layout = layoutOf(stateDirectoryOf(configuration));
  const files = new SettingsFiles(layout, batchId, places);
  const values: SessionValues = { shared: variablesIn(common["env"]), tasks: {} };
  const others = joined?.tasks ?? [];
  const ordered = [...others, ...asked.value.tasks];
  faults.push(...keyFaults(ordered));
  const orders = orderOf(ordered, faults).slice(others.length);
  // Without a directory to search, a template can find nothing.
  const made =
    template && faults.length === 0
      ? await tasksOf(context, template, { places, directory: workingDirectory, layout, batchId })
      : undefined;
  if (made) faults.push(...made.faults);
  if (made && template && fleet)
    faults.push(...fleetTemplateFaults(template.template, made, { fleet, directory: workingDirectory }));
  /** The options of tasks, checked once for all that share them. */
  const known = new Map<SessionOptionsInput, RawOptions>();
  const ownOptions = (place: Place, options: SessionOptionsInput): RawOptions => {
    const before = known.get(options);
    if (before) return before;
    const own = places.absolute(options, options, { place, base: workingDirectory });
    const directory = own["workingDirectory"];
    const at = typeof directory === "string" ? directory : workingDirectory;
    faults.push(...faultsAt(place, sessionFaults(own, { ...surroundings, workingDirectory: at })));
    faults.push(...faultsAt(place, elsewhereFaults(own)));
    faults.push(...faultsAt(Object.keys(own).length > 0 ? place : [], combinedFaults({ ...common, ...own })));
    known.set(options, own);
    return own;
  };
  /** As stored: one object for all tasks that share their options. */
  const stored = new Map<RawOptions, RawOptions>();
  const founded: FoundedTask[] = made
    ? made.tasks.map(({ place, options, ...task }) => ({ place, options, task }))
    : asked.value.tasks.map(({ place, options, prompt, key }, index) => {
        const task = { prompt, ...(key === undefined ? {} : { key }), ...orders[index] };
        return { place, options, task };
      });
  const commonCommand = commandIn(common["expect"]);
  const matches = new Map<string, boolean>();
  /** The directories that workers of the fleet need, each with the first task that names it. */
  const directories = new Map<string, Place>();
  const planned: Task[] = [];
  for (const [index, { place, options, task: founding }] of founded.entries()) {
    const own = ownOptions(place, options);
    if (fleet && founding.results) faults.push(resultsFault(place));
    const task = dependsOnValues({ ...common, ...own }) ? { ...founding, sameAs: undefined } : founding;
    const directory = own["workingDirectory"];
    const at = typeof directory === "string" ? directory : workingDirectory;
    if (!directories.has(at)) directories.set(at, typeof directory === "string" ? place : []);
    const inputs = own["inputs"] === undefined ? common : own;
    const ofInputs = await inputFaults(inputs, task.values, { context, workingDirectory: at, matches });
    faults.push(...faultsAt(own["inputs"] === undefined ? [] : place, ofInputs));
    const command = own["expect"] === undefined ? commonCommand : commandIn(own["expect"]);
    if (command !== undefined)
      faults.push(...faultsAt(own["expect"] ? place : [], commandFaults(command, task.values)));
    if (Object.keys(own).length === 0) {
      planned.push(task);
      continue;
    }
    const variables = variablesIn(own["env"]);
    if (Object.keys(variables).length > 0) values.tasks[String(index + 1)] = variables;
    const kept = stored.get(own) ?? files.stored(withNamesOnly(own, values.shared));
    stored.set(own, kept);
    planned.push({ ...task, options: kept });
  }
  // What is no directory was a fault before.
  if (fleet && faults.length === 0) faults.push(...(await fleetDirectoryFaults(directories, fleet)));
  const distinctTasks = [...new Map(planned.map((task) => [task.options, task])).values()];
  const warnings = [
    // The command line has printed them already.
    ...(startedBy === "run" ? [] : inForce.warnings),
    ...(made?.warnings ?? []),
    ...settingsWarnings(common, distinctTasks, { defaultDirectory: workingDirectory, door: context.door }),
    ...new Set(
      [common, ...distinctTasks.map((task) => task.options ?? {})].flatMap((one) =>
        ruleWarnings(one, checked?.version, context.door),
      ),
    ),
  ];
  faults.push(...(await hostFaults(hosts, { common, tasks: planned, workingDirectory, options: batchWide })));
  const { sample } = batchWide;
  if (sample !== undefined && sample >= planned.length) warnings.push(noSampleText(sample, planned.length));
  const budgetUsd = batchWide.batchBudgetUsd ?? configuration.batchBudgetUsd;
  const summarize = summaryAsked(batchWide, faults);
  const outputDirectory = places.outputDirectory(batchWide.outputDirectory, {
    asyncMode: batchWide.asyncMode,
    batchId,
    from: base,
  });
  if (faults.length > 0) return { ok: false, faults: distinct(faults) };
  // The variable of a server is that of its client's start, and says nothing about a call.
  const within = startedBy === "run" ? spanContextFrom(process.env[traceVariable]) : undefined;
  return {
    ok: true,
    value: {
      batch: {
        batchId,
        ...(batchWide.batchName === undefined ? {} : { name: batchWide.batchName }),
        startedBy,
        asyncMode: batchWide.asyncMode,
        tasks: planned,
        ...(template ? { template: template.template } : {}),
        ...(made?.eachIsFile ? { eachIsFile: true } : {}),
        ...(made && made.answers.length > 0 ? { readsEarlierAnswers: true } : {}),
        sessionOptions: files.stored(withNamesOnly(common)),
        ...(hosts.length === 0
          ? {}
          : {
              hosts,
              onLostHost: batchWide.onLostHost ?? "wait",
              hostLeaseSeconds: configuration.hostLeaseSeconds,
              hostSource: configuration.hostSource,
            }),
        // The setting is about this machine.
        concurrency: lowerOf(
          batchWide.concurrency ?? "auto",
          hosts.length > 0 || fleet ? "auto" : configuration.concurrency,
        ),
        slots: configuration.concurrency,
        ...(configuration.memoryLimitMb === undefined ? {} : { memoryLimitMb: configuration.memoryLimitMb }),
        loginProofSeconds: configuration.loginProofSeconds,
        loginPatienceSeconds: configuration.loginPatienceSeconds,
        sharedDaemons: configuration.sharedDaemons,
        ...(budgetUsd === undefined ? {} : { budgetUsd }),
        ...changedSpendLimits(context, { spendLimits: {} }),
        failureMode: batchWide.failureMode,
        ...(summarize ? { summarize } : {}),
        ...(batchWide.failWhen === undefined ? {} : { failWhen: batchWide.failWhen }),
        ...(stopWhen ? { stopWhen } : {}),
        ...(fleet ? { fleet } : {}),
        ...(sample === undefined || sample >= planned.length ? {} : { sample: sampleOf(planned, sample) }),
        outputDirectory,
        claudePath: claude.found ? claude.path : claudeThere,
        claudePathIsSet: configuration.claudePath !== undefined,
        ...(checked?.version === undefined ? {} : { claudeVersion: checked.version }),
        ...(batchWide.fresh ? { fresh: true } : {}),
        reuseLimits: { days: configuration.reuseDays, megabytes: configuration.reuseLimitMb },
        ...(configuration.retainDays === undefined
          ? {}
          : {
              retention: {
                days: configuration.retainDays,
                conversations: configuration.retainConversations,
                output: configuration.retainOutput,
              },
            }),
        workingDirectory,
        allowedRoots: [...places.roots],
        notifications: configuration.notifications,
        ...(configuration.notifyCommand === undefined
          ? {}
          : { notifyCommand: commandWords(configuration.notifyCommand) }),
        ...(warnings.length === 0 ? {} : { warnings }),
        ...(within ? { within } : {}),
        ...(configuration.otlpEndpoint === undefined ? {} : { otlpEndpoint: configuration.otlpEndpoint }),
      },
      values,
      files: files.all(),
      isDryRun: asked.value.isDryRun,
      answers: made?.answers ?? [],
      fileOf: (value) => places.fileOf(value),
      keepVersion: () => checked?.keep(),
    },
  };
}

/** What of the tasks differs from the batch, each once. */
function optionsOf(tasks: readonly RequestedTask[]): SessionOptionsInput[] {
  return [...new Set(tasks.map(({ options }) => options))];
}

/** The summary that options ask for. */
export function summaryAsked(
  {
    summarize: text,
    summarizeGroups: groups,
    summarizeModel: model,
  }: Pick<z.output<typeof batchOptions>, "summarize" | "summarizeGroups" | "summarizeModel">,
  faults: Fault[],
): SummaryRequest | undefined {
  if (text !== undefined)
    return { text, ...(groups === undefined ? {} : { groups }), ...(model === undefined ? {} : { model }) };
  for (const [name, value] of Object.entries({ summarizeGroups: groups, summarizeModel: model }))
    if (value !== undefined) faults.push(wrong([name], prose`has no effect without ${option("summarize")}`));
  return undefined;
}

// A missing working directory, in an input that cannot be used for other reasons: all that is missing is said at once.
function directoryFault(context: Context, input: unknown, known: readonly Fault[]): Fault[] {
  const { tasks, ...common } = rawObject(asMeant(parallelInput, input));
  const given = [common, ...(Array.isArray(tasks) && tasks.length > 0 ? tasks.map(rawObject) : [{}])].map(
    (options) =>
      // Whatever was given is no lack, even if it is no path.
      options["workingDirectory"] === undefined ? {} : { workingDirectory: "given" },
  );
  // Under another name, it was meant.
  const isMeant = known.some((fault) => fault.kind === "unknown" && fault.near.includes("workingDirectory"));
  const faults: Fault[] = [];
  if (!isMeant && context.inForce.faults.length === 0)
    new Places(context, faults).defaultWorkingDirectory(given);
  return faults;
}

// With its schema read: a file may change, or be gone, by the time that an answer comes.
function stopConditionIn(
  given: StopCondition | undefined,
  places: Places,
  from: string,
): StopCondition | undefined {
  const schema = given?.where?.schema;
  if (!given || typeof schema !== "string") return given;
  const read = places.schemaIn(schema, from, ["stopWhen", "where", "schema"]);
  return { ...given, where: { ...given.where, schema: read } };
}

function commandIn(expect: unknown): string | undefined {
  return expectation.safeParse(expect).data?.command;
}

// As stored. A task has the variables of its batch in addition to its own.
function withNamesOnly(options: RawOptions, shared: Record<string, string> = {}): RawOptions {
  if (options["env"] === undefined) return options;
  const names = Object.keys({ ...shared, ...variablesIn(options["env"]) });
  return { ...options, env: Object.fromEntries(names.map((name) => [name, ""])) };
}

function noSampleText(sample: number, tasks: number): string {
  const count = tasks === 1 ? "the only task" : `all ${tasks} tasks`;
  return `The sample of ${sample} is ${count}, so the batch does not pause.`;
}

// The lower of two ceilings; `auto` is none of its own.
function lowerOf(one: Concurrency, other: Concurrency): Concurrency {
  if (one === "auto" || other === "auto") return one === "auto" ? other : one;
  return Math.min(one, other);
}

const sessionNames = Object.keys(sessionOptions.shape);
// Made once, because that costs far more than using it.
const someOptions = sessionOptions.partial();

function askedFor(startedBy: StartedBy, input: unknown): Checked<BatchRequest> {
  if (startedBy === "spawn_claude_session") {
    const checked = check(sessionInput, input, {
      name: "spawn_parallel_claude_sessions",
      schema: parallelInput,
    });
    if (!checked.ok) return checked;
    const shared = rawObject(asMeant(sessionInput, input));
    const faults = textFaults(shared);
    if (faults.length > 0) return { ok: false, faults };
    return {
      ok: true,
      value: {
        shared,
        tasks: [{ prompt: checked.value.task, place: [], options: noOptions }],
        isDryRun: false,
      },
    };
  }
  const checked = check(parallelInput, input);
  if (!checked.ok) return checked;
  const shared = rawObject(asMeant(parallelInput, input));
  const template = templateAsked(checked.value, shared);
  if (!template.ok) return template;
  const raw = Array.isArray(shared["tasks"]) ? shared["tasks"] : [];
  const faults = [
    ...textFaults(shared),
    ...raw.flatMap((task, index) =>
      typeof task === "string" ? [] : faultsAt(["tasks", index], textFaults(rawObject(task))),
    ),
  ];
  if (faults.length > 0) return { ok: false, faults };
  const { value } = template;
  const tasks = (checked.value.tasks ?? []).map((task, index): RequestedTask => {
    const place = ["tasks", index];
    if (typeof task === "string") return { prompt: task, place, options: noOptions };
    // Parsing has filled in defaults, which would override the batch's values.
    const { task: prompt, key, name, after } = task;
    const options = pick(rawObject(raw[index]), sessionNames);
    const own = Object.keys(options).length === 0 ? noOptions : options;
    return { prompt, place, key, name, after, options: own };
  });
  const { dryRun: isDryRun = false } = checked.value;
  return { ok: true, value: { shared, tasks, isDryRun, ...(value ? { template: value } : {}) } };
}

/** Of all tasks that have none of their own. */
const noOptions: SessionOptionsInput = {};
