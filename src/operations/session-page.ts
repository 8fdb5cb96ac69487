// The page of what the session of a task said and did, as a file, and opened in a browser where that is asked for.
import { reportFileOf } from "../engine/output/answer.ts";
import { resultFilesOf } from "../engine/output/result-file.ts";
import { sessionPageOf } from "../engine/output/session-files.ts";
import { sessionViewOf } from "../engine/output/session-view.ts";
import type { BatchState, TaskState } from "../model/state.ts";
import { exists } from "../platform/files.ts";
import { basename } from "../platform/paths.ts";
import { isOurSession } from "../report/file-tag.ts";
import { numberAndKey } from "../report/label.ts";
import { statusWord } from "../report/row.ts";
import { sessionPage } from "../report/session/session-page.ts";
import { stateWordOf } from "../store/batch-status.ts";
import { sessionFeedBeside } from "../store/layout.ts";
import { UserError, valueOrThrow } from "./context.ts";
import { check } from "./faults.ts";
import { rowOf } from "./find-batch.ts";
import type { Operation } from "./operation.ts";
import { pageOptions, pageOutput, placeOfPage, writePage } from "./page-file.ts";
import { SessionLog, sessionLogInput } from "./session-log.ts";

const input = sessionLogInput.extend(pageOptions("the session"));

export const writeSession: Operation<typeof input, typeof pageOutput> = {
  title: "Write the session of a task as a page",
  description: "Writes what the sessions of a task said and did as a page.",
  input,
  output: pageOutput,
  run: async (context, given) => {
    const { page, open, ...asked } = valueOrThrow(check(input, given));
    const { state, task } = await SessionLog.open(context, asked);
    if (task.attempts.length === 0)
      throw new UserError(
        `Task ${numberAndKey(state.batch, task.number)} has no session: it is ${statusWord(task).word}.`,
      );
    const path = await placeOfPage(
      context,
      { page },
      {
        usual: () => usualPage(sessionPageOf(context.store.layout, state, task.number), asked.attempt),
        isNone: "no page of a session",
        isOurs: isOurSession,
      },
    );
    const view = await sessionViewOf(state, task, {
      attempt: asked.attempt,
      links: await linksOf(state, task),
      feedHref:
        page === undefined && asked.attempt === undefined && task.status !== "done" ? feedOf(path) : "",
      isInterrupted: stateWordOf(rowOf(context, state.batch)) === "interrupted",
      now: Date.now(),
    });
    return await writePage(path, sessionPage(view).pieces(), { page, open, tag: "session", isPrivate: true });
  },
};

// One with a single attempt stands beside the page of all, to which links lead.
function usualPage(page: string, attempt: number | undefined): string {
  return attempt === undefined ? page : page.replace(/\.html$/, `-attempt-${attempt}.html`);
}

// Its runner writes the companion of the page at this place.
function feedOf(path: string): string {
  const feed = sessionFeedBeside(path);
  return exists(feed) ? basename(feed) : "";
}

// Of what is there at this moment.
async function linksOf(
  state: BatchState,
  task: TaskState,
): Promise<{ result?: string | undefined; report?: string | undefined }> {
  const files = task.status === "done" ? await resultFilesOf(state, [task]) : new Map<number, string>();
  const report = reportFileOf(state);
  const href = (path: string | undefined) => (path === undefined ? undefined : Bun.pathToFileURL(path).href);
  return { result: href(files.get(task.number)), report: exists(report) ? href(report) : undefined };
}
