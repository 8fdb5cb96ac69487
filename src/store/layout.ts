// Every path that we write, named in one place.
import { type BatchId, batchIdSchema } from "../model/batch-id.ts";
import { basename, dirname, join } from "../platform/paths.ts";

/** Where the folders of all batches are, in a state directory. */
export const batchesFolder = "batches";

const databaseName = "store.sqlite";
const httpTokenName = "http-token";
const uiTokenName = "ui-token";
const uiServerName = "ui-server.json";
const uiCodeName = "ui-code";
const uiPageName = "ui.html";
const spendingName = "spending.html";
const rememberedFolder = "remembered";
const farFolder = "far";
const hostsName = "hosts.json";
const schedulesFolder = "schedules";

/** The paths below a state directory. */
export function layoutOf(stateDirectory: string) {
  const batchDirectory = (batchId: BatchId) => join(stateDirectory, batchesFolder, batchId);
  return {
    stateDirectory,
    database: join(stateDirectory, databaseName),
    /** What clients of the HTTP door must know. */
    httpTokenFile: join(stateDirectory, httpTokenName),
    /**
     * Of `ui`: what its cookies are made from, which process served it last and on which port, a code that lets a browser in,
     * and a page that leads there.
     */
    uiTokenFile: join(stateDirectory, uiTokenName),
    uiServerFile: join(stateDirectory, uiServerName),
    uiCodeFile: join(stateDirectory, uiCodeName),
    uiPage: join(stateDirectory, uiPageName),
    batchDirectory,
    /** Sessions that run here for another machine, with what they have written. */
    farFolder: join(stateDirectory, farFolder),
    /** The machines that were added, to run sessions there. */
    hostsFile: join(stateDirectory, hostsName),
    /** Answers that later batches may take over: a database, and a transcript for each. */
    rememberedFolder: join(stateDirectory, rememberedFolder),
    /** What the commands of a schedule print. */
    scheduleLog: (name: string) => join(stateDirectory, schedulesFolder, `${name}.log`),
    /** Where the pages of a sync batch go, until it is handed over. */
    pages: (batchId: BatchId) => join(batchDirectory(batchId), "pages"),
    /** The page of a comparison with an earlier batch, or without one, of the variants in the batch. */
    comparison: (batchId: BatchId, earlier?: BatchId) =>
      join(batchDirectory(batchId), `comparison${earlier === undefined ? "" : `-${earlier}`}.html`),
    /** The page of what the sessions of a task said and did. Private, as transcripts are. */
    sessionPage: (batchId: BatchId, task: number, total: number) =>
      join(batchDirectory(batchId), "sessions", `session-${padded(task, total)}.html`),
    /** Settings that a task gave as a file, as its sessions get them. */
    settings: (batchId: BatchId, digest: string) => join(batchDirectory(batchId), `settings-${digest}.json`),
    /** The page of what sessions have cost. */
    spendingPage: join(stateDirectory, spendingName),
    /** Files for the sessions of a running batch; removed at its end. */
    privateFolder: (batchId: BatchId) => join(batchDirectory(batchId), "private"),
    /** Answers of an earlier batch that the sessions of this one read. */
    earlierAnswers: (batchId: BatchId) => join(batchDirectory(batchId), "earlier-answers"),
    /** The answers of its tasks that other sessions read. */
    answers: (batchId: BatchId) => join(batchDirectory(batchId), "answers"),
    /** The output of the batch's own processes. */
    runnerLog: (batchId: BatchId) => join(batchDirectory(batchId), "runner.log"),
    /** What its processes have sent of its trace. */
    sentTraces: (batchId: BatchId) => join(batchDirectory(batchId), "sent-traces.json"),
    /** Named after the start of its session, so that no session ever appends to another's transcript. */
    transcript: (batchId: BatchId, startName: string) =>
      join(batchDirectory(batchId), `session-${startName}.ndjson`),
  };
}
export type Layout = ReturnType<typeof layoutOf>;

/** Whether we create a file or folder of this name in a state directory. */
export function isFileOfOurs(name: string): boolean {
  return (
    name === batchesFolder ||
    name === httpTokenName ||
    name === uiTokenName ||
    name === uiServerName ||
    name === uiCodeName ||
    name === uiPageName ||
    name === spendingName ||
    name === rememberedFolder ||
    name === farFolder ||
    name === hostsName ||
    name === schedulesFolder ||
    // Where `host add` of another machine puts this program.
    name === "bin" ||
    name.startsWith(databaseName)
  );
}

/** The batch whose pages are in a directory; undefined if it is no batch's own. */
export function batchOfPages(layout: Layout, directory: string): BatchId | undefined {
  const { data: batchId } = batchIdSchema.safeParse(basename(dirname(directory)));
  return batchId !== undefined && layout.pages(batchId) === directory ? batchId : undefined;
}

/** Where a session's stderr goes, beside its transcript. */
export function stderrBeside(transcript: string): string {
  return transcript.replace(/\.ndjson$/, ".stderr.txt");
}

/** Where the companion of a page of a session is: what an open page follows while the session runs. */
export function sessionFeedBeside(page: string): string {
  return page.replace(/\.html$/, ".js");
}

/** A task's number in file names: three digits, more from 1,000 tasks on. */
export function padded(task: number, total: number): string {
  return String(task).padStart(Math.max(3, String(total).length), "0");
}

/** The folder of a batch in an output directory in which each batch has its own. */
export function batchFolderOf(batchId: string): string {
  return `batch-${batchId}`;
}

/**
 * The directory in which each batch has a folder of its own, if this is the folder of this batch; undefined for the
 * directory of several batches, whatever it is called.
 */
export function sharedDirectoryOf(outputDirectory: string, batchId: string): string | undefined {
  return basename(outputDirectory) === batchFolderOf(batchId) ? dirname(outputDirectory) : undefined;
}

/** Names of the files in an output directory. */
export const outputFiles = {
  index: "index.html",
  report: (batchId: string) => `report-${batchId}.html`,
  /** What an open page of the batch polls. */
  feed: (batchId: string) => `report-${batchId}.js`,
  /** What an open page of the batch searches. */
  texts: (batchId: string) => `report-${batchId}-texts.js`,
  lines: (batchId: string) => `results-${batchId}.jsonl`,
  /** The answers as a table, where they are data. */
  data: (batchId: string) => `results-${batchId}.csv`,
  summary: (batchId: string) => `summary-${batchId}.json`,
  result: (task: number, total: number, at: number) => `result-${padded(task, total)}-${at}.html`,
  error: (task: number, total: number, at: number) => `error-${padded(task, total)}-${at}.txt`,
};
