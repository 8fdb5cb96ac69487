// Why a batch is held, and what would help, in words for people.
import type { Outcome } from "../model/outcome.ts";

type Failed = Extract<Outcome, { kind: "failed" }>;

const tryNow = "Then the batch goes on by itself, or at once after `parallel-claude-code-mcp doctor`.";

const limitNames: Record<string, string> = {
  five_hour: "five-hour",
  seven_day: "weekly",
  seven_day_opus: "weekly Opus",
  seven_day_sonnet: "weekly Sonnet",
  seven_day_overage_included: "weekly Fable",
  overage: "extra usage",
};

/** By what the refusal is called: what is wrong, and what to do about it. `model` is the one that was asked for. */
const texts: Record<string, (model: string) => string> = {
  long_context_credits_required: (model) =>
    `${model} needs usage credits for its long context. Other models go on: start these tasks again with a \`model\` without \`[1m]\`, or turn on usage credits. ${tryNow}`,
  model_requires_usage_credits: (model) =>
    `${model} needs usage credits. Other models go on: start these tasks again with another \`model\`, or turn on usage credits. ${tryNow}`,
  usage_credits: () =>
    `The account has no usage credits left, or is not allowed any. Buy some, or ask an admin of the organization. ${tryNow}`,
  organization_disabled: () =>
    `The organization of this login or API key has been disabled. Log in with another account (\`claude\`, then \`/login\`), or ask its admin. ${tryNow} An API key in the environment can only be changed for a new batch.`,
  account_on_hold: () =>
    `The account is on hold. Follow the link that Claude Code shows, or log in with another account (\`claude\`, then \`/login\`). ${tryNow}`,
  verification_required: () =>
    `The account or its organization has to be verified. Run \`claude\` and follow what it says. ${tryNow}`,
  cloud_credential_error: () =>
    `The credentials of the cloud provider cannot be loaded. Renew them (for example with \`aws sso login\` or \`gcloud auth login\`). ${tryNow} Credentials in the environment can only be changed for a new batch.`,
  oauth_org_not_allowed: () =>
    `The organization allows no subscription logins for Claude Code. Set an API key for a new batch, or ask its admin. ${tryNow}`,
};

/** One paragraph. `model`: the name under which the model was asked for, where the hold is for some models only. */
export function holdText(
  { reason, message, limitType, resetsAt }: Failed,
  model: string | undefined,
): string {
  const said = message === "" ? "" : ` Claude said: ${message.replace(/\s+/g, " ").slice(0, 200)}`;
  const text = texts[limitType ?? ""]?.(model ?? "The model");
  if (text !== undefined) return `${text}${said}`;
  switch (reason) {
    case "usage-limit":
      return `${usageText(limitType, resetsAt, model)}${said}`;
    case "billing":
      return `The account is refused for billing reasons. Add credit, or pay what is due. ${tryNow}${said}`;
    default:
      return `Claude is not logged in. Run \`claude\` and log in with \`/login\`. ${tryNow} A credential in the environment can only be changed for a new batch.${said}`;
  }
}

function usageText(
  limitType: string | undefined,
  resetsAt: number | undefined,
  model: string | undefined,
): string {
  const name = limitType === undefined ? "usage" : (limitNames[limitType] ?? limitType);
  const text =
    resetsAt === undefined
      ? `The account's ${name} limit is reached; nobody said when it resets, so one session tries from time to time.`
      : `The account's ${name} limit is reached; the batch goes on by itself when it resets.`;
  if (model === undefined) return text;
  return `${text} Other models go on: tasks that are started again with another \`model\` need not wait.`;
}
