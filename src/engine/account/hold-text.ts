// Why a batch is held, and what to do, in words for people.
import { cut } from "../../model/cut.ts";
import { limitText } from "../../model/limit-types.ts";
import type { Outcome } from "../../model/outcome.ts";
import { product } from "../../model/product.ts";
import type { Hold } from "../../store/holds.ts";

type Failed = Extract<Outcome, { kind: "failed" }>;

const saidMark = " Claude said: ";
const tryNow = `The batch then continues automatically, and immediately after \`${product.name} doctor\` in a terminal.`;

/** One paragraph. `model`: the requested name, if the hold is for some models only. */
export function holdText(
  { reason, message, limitType, resetsAt }: Failed,
  model: string | undefined,
): string {
  const said = message === "" ? "" : `${saidMark}${cut(message.replace(/\s+/g, " "), 200)}`;
  const text = limitText(limitType).hold?.(model ?? "The model");
  if (text !== undefined) return `${text} ${tryNow}${said}`;
  switch (reason) {
    case "usage-limit":
      return `${usageText(limitType, resetsAt, model)}${said}`;
    case "billing":
      return `The API refuses the account for billing reasons. Add credit, or pay outstanding invoices. ${tryNow}${said}`;
    default:
      return `Claude is not logged in. Run \`claude\` in a terminal, and log in with \`/login\`. ${tryNow} To use another credential from the environment, start a new batch.${said}`;
  }
}

/** The same of another machine, which has a login of its own. */
export function becauseOn(machine: string, { kind, because }: Pick<Hold, "kind" | "because">): string {
  if (kind !== "auth") return `${machine}: ${because}`;
  const [, said] = because.split(saidMark);
  const words = said === undefined ? "" : `${saidMark}${said}`;
  return `Claude is not logged in on ${machine}. Run \`claude\` there, and log in with \`/login\`, or set a credential there. The batch then continues automatically, and immediately after \`${product.name} host add ${machine}\` here.${words}`;
}

function usageText(
  limitType: string | undefined,
  resetsAt: number | undefined,
  model: string | undefined,
): string {
  const { name = "usage" } = limitText(limitType);
  const reached = `You have reached the account's ${name} limit`;
  const text =
    resetsAt === undefined
      ? `${reached}. No reset time is known, so one session tries periodically.`
      : `${reached}; the batch continues automatically after the reset.`;
  if (model === undefined) return text;
  return `${text} Tasks that use other models continue. To avoid the wait, start these tasks again with another model.`;
}
