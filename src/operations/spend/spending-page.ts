// The page of what sessions have cost, as a file, and opened in a browser where that is asked for.
import { z } from "zod";
import { makePrivateDirectory } from "../../platform/files.ts";
import { absolutePath, dirname } from "../../platform/paths.ts";
import { messageOf } from "../../platform/system-error.ts";
import { readHead, replaceFile } from "../../platform/whole-files.ts";
import { isOurSpending } from "../../report/file-tag.ts";
import { type SpendingBar, spendingPage } from "../../report/spending-page.ts";
import { type Context, UserError, valueOrThrow } from "../context.ts";
import { check } from "../faults.ts";
import { openingFailure } from "../open-page.ts";
import type { Operation } from "../operation.ts";
import { type SpendAsked, type Spending, type SpendKind, spendInput, spending } from "./spend.ts";

const input = spendInput.extend({
  page: z
    .string()
    .min(1)
    .meta({ description: "Write a page with a chart to this file.", placeholder: "FILE" })
    .optional(),
  open: z.boolean().meta({ description: "Open a page with a chart in the browser." }).optional(),
});

const output = z.object({
  page: z.string(),
  opened: z.boolean(),
  failure: z.string().optional().meta({ description: "Why it could not be opened." }),
});

export const writeSpending: Operation<typeof input, typeof output> = {
  title: "Write what sessions have cost as a page",
  description: "Writes what sessions have cost as a page.",
  input,
  output,
  run: async (context, given) => {
    const { page, open, ...asked } = valueOrThrow(check(input, given));
    const path = await placeOf(context, page);
    const html = pageOf(spending(context, asked), asked);
    await write(path, html, page === undefined ? 0o600 : 0o644);
    if (!open) return { page: path, opened: false };
    const failure = await openingFailure(path);
    return { page: path, opened: failure === undefined, ...(failure === undefined ? {} : { failure }) };
  },
};

/** What rows stand for. */
export const kindHeadings: Readonly<Record<SpendKind, string>> = {
  day: "Day",
  month: "Month",
  batch: "Batch",
  model: "Model",
  directory: "Directory",
  client: "Client",
};

function pageOf(spent: Spending, { since, until, by }: SpendAsked): string {
  const { total, rows, others, message } = spent;
  return spendingPage({
    heading: kindHeadings[by],
    message,
    total,
    bars: by === "day" ? withEmptyDays(rows) : rows,
    others,
    command: ["spend", "--since", since, ...(until === undefined ? [] : ["--until", until]), "--by", by].join(
      " ",
    ),
    now: Date.now(),
  });
}

/** Most days in a chart: more are shown without those between them that have nothing. */
const mostDays = 400;

// A chart of days shows those without sessions, too.
function withEmptyDays(rows: readonly SpendingBar[]): readonly SpendingBar[] {
  const [first, last] = [rows[0]?.of, rows.at(-1)?.of];
  if (first === undefined || last === undefined) return rows;
  const known = new Map(rows.map((row) => [row.of, row]));
  const days: SpendingBar[] = [];
  // Noon in Greenwich, so that neither summer time nor an offset leads to another date.
  for (
    const at = new Date(`${first}T12:00:00Z`);
    days.length <= mostDays;
    at.setUTCDate(at.getUTCDate() + 1)
  ) {
    const of = at.toISOString().slice(0, 10);
    days.push(known.get(of) ?? { of, ...nothing });
    if (of === last) return days;
  }
  return rows;
}

const nothing = {
  costUsd: 0,
  sessions: 0,
  batches: 0,
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWrittenTokens: 0,
};

// Without a path, in the state directory: it can be made again at any time.
async function placeOf(context: Context, given: string | undefined): Promise<string> {
  if (given === undefined) {
    const path = context.store.layout.spendingPage;
    makePrivateDirectory(dirname(path));
    return path;
  }
  const path = absolutePath(given, context.workingDirectory);
  const head = await readHead(path, 512);
  if (head === undefined || isOurSpending(head)) return path;
  throw new UserError(`${path} exists, and is no page of costs. Nothing was written; give another file.`);
}

async function write(path: string, html: string, mode: number): Promise<void> {
  try {
    await replaceFile(path, html, { tag: "spending", mode });
  } catch (error) {
    throw new UserError(`The page ${path} could not be written: ${messageOf(error)}`);
  }
}
