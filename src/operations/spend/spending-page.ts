// The page of what sessions have cost, as a file, and opened in a browser where that is asked for.
import { shellQuoted } from "../../model/shell-quoted.ts";
import { isOurSpending } from "../../report/file-tag.ts";
import { spendingPage } from "../../report/spending-page.ts";
import { nothingSpent, type SpendingRow } from "../../report/spending-sums.ts";
import { valueOrThrow } from "../context.ts";
import { check } from "../faults.ts";
import type { Operation } from "../operation.ts";
import { pageOptions, pageOutput, placeOfPage, writePage } from "../page-file.ts";
import { type SpendAsked, type Spending, type SpendKind, spendInput, spending } from "./spend.ts";

const input = spendInput.extend(pageOptions("the costs"));

export const writeSpending: Operation<typeof input, typeof pageOutput> = {
  title: "Write what sessions have cost as a page",
  description: "Writes what sessions have cost as a page.",
  input,
  output: pageOutput,
  run: async (context, given) => {
    const { page, open, ...asked } = valueOrThrow(check(input, given));
    const path = await placeOfPage(
      context,
      { page },
      {
        usual: () => context.store.layout.spendingPage,
        isNone: "no page of costs",
        isOurs: isOurSpending,
      },
    );
    const html = pageOf(spending(context, asked), asked);
    return await writePage(path, html, { page, open, tag: "spending" });
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
    command: ["spend", "--since", since, ...(until === undefined ? [] : ["--until", until]), "--by", by]
      .map((word) => shellQuoted(word))
      .join(" "),
    now: Date.now(),
  });
}

/** Most days in a chart: more are shown without those between them that have nothing. */
const mostDays = 400;

// A chart of days shows those without sessions, too.
function withEmptyDays(rows: readonly SpendingRow[]): readonly SpendingRow[] {
  const [first, last] = [rows[0]?.of, rows.at(-1)?.of];
  if (first === undefined || last === undefined) return rows;
  const known = new Map(rows.map((row) => [row.of, row]));
  const days: SpendingRow[] = [];
  // Noon in Greenwich, so that neither summer time nor an offset leads to another date.
  for (
    const at = new Date(`${first}T12:00:00Z`);
    days.length <= mostDays;
    at.setUTCDate(at.getUTCDate() + 1)
  ) {
    const of = at.toISOString().slice(0, 10);
    days.push(known.get(of) ?? { of, ...nothingSpent });
    if (of === last) return days;
  }
  return rows;
}
