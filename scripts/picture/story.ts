// The batch that the pictures show: which files are reviewed, what each session does, and how far it gets.

/** One step of a session: a tool that it calls, and for how long. */
interface Step {
  tool: "Read" | "Grep" | "Bash";
  input: string;
  ms: number;
}

/** What a session does. Without an end it is still at its last step when the pictures are taken. */
export interface Part {
  prompt: string;
  steps: Step[];
  /** Directives of the fake `claude`: what it costs, what comes before the steps, and the end. */
  end?: { cost: string; thought: string; last: string };
}

/** Sessions at once. */
export const atOnce = 6;

/** How many tasks have ended in the pictures. */
export const endedInPictures = 14;

// Of the first ones, this one takes longest.
const straggler = 3;

const files = [
  "src/auth/login.ts",
  "src/auth/session-token.ts",
  "src/cart/cart.ts",
  "src/cart/discounts.ts",
  "src/catalogue/search.ts",
  "src/catalogue/import-products.ts",
  "src/checkout/payment.ts",
  "src/checkout/refunds.ts",
  "src/checkout/tax.ts",
  "src/db/migrations.ts",
  "src/db/pool.ts",
  "src/http/rate-limit.ts",
  "src/http/router.ts",
  "src/mail/templates.ts",
  "src/orders/order-state.ts",
  "src/orders/invoices.ts",
  "src/queue/worker.ts",
  "src/queue/retry.ts",
  "src/reports/monthly.ts",
  "src/shipping/carriers.ts",
  "src/shipping/labels.ts",
  "src/stock/reservations.ts",
  "src/uploads/images.ts",
  "src/users/export.ts",
];

/** The tasks in their order, each with what happens to it. */
export const story: readonly Part[] = files.map((file, index) => {
  const beat = 5_000 + ((index * 7_919) % 11_000);
  const end = endOf(index + 1, file);
  const steps = stepsOf(file, index).map((step, at) => ({ ...step, ms: beat + ((index * at) % 4) * 3_000 }));
  return { prompt: `Review ${file} for bugs`, steps, ...(end ? { end } : {}) };
});

function stepsOf(file: string, index: number): Omit<Step, "ms">[] {
  const name = file.replace(/^.*\/|\.ts$/g, "");
  const test = `test/${name}.test.ts`;
  const last: Omit<Step, "ms">[] = [
    { tool: "Bash", input: `bun test ${name}` },
    { tool: "Bash", input: `git log -5 ${name}.ts` },
    { tool: "Read", input: test },
  ];
  return [
    { tool: "Read", input: file },
    { tool: "Grep", input: name },
    last[index % last.length] ?? { tool: "Read", input: test },
  ];
}

function endOf(number: number, file: string): Part["end"] {
  if (number === straggler || number > endedInPictures + 1) return undefined;
  const cost = `cost usd=${(0.17 + ((number * 37) % 23) / 100).toFixed(2)}`;
  const thought = `thinking text=${JSON.stringify("A look at each line. ".repeat(200 + number * 20))}`;
  if (number === 6) return { cost, thought, last: "max-turns turns=40" };
  const said = "I could not run the audit; what I read is sound.";
  if (number === 11)
    return { cost, thought, last: `denied tool=Bash input='npm audit' text=${JSON.stringify(said)}` };
  return { cost, thought, last: `answer text=${JSON.stringify(answerOf(file, number))}` };
}

function answerOf(file: string, number: number): string {
  return `## ${file}\n\nTwo findings, one of them serious.\n\n| Line | What | How bad |\n| ---: | --- | --- |\n| ${40 + number * 3} | The promise is not awaited, so an error is lost | high |\n| ${90 + number * 5} | No test for an empty list | low |\n`;
}
