// The names of limits in an outcome (`limitType`), and what to say about each.

/** Words an option for one door. */
type Option = (name: string) => string;

/** What to say to people about one limit. */
interface LimitText {
  /** Its name, before "limit"; only for a usage limit. */
  name?: string;
  /**
   * What is wrong and what to do, if it holds an account or a model. `model` is the one requested. Read by callers of
   * tools and at a command line alike, so it names no option.
   */
  hold?(model: string): string;
  /** One sentence for a task that failed by it. */
  advice?(option: Option, run: (command: string) => string): string;
}

const modelFamilies = ["opus", "sonnet", "haiku", "fable", "mythos"] as const;
export type ModelFamily = (typeof modelFamilies)[number];

/** The family in a model's or a limit's name, or in a message; undefined for what concerns all models. */
export function familyIn(words: string | undefined): ModelFamily | undefined {
  // 2.1.332 and 2.1.197 call it the "Fable limit".
  if (words === "seven_day_overage_included") return "fable";
  const found = new RegExp(modelFamilies.join("|"), "i").exec(words ?? "")?.[0]?.toLowerCase();
  return modelFamilies.find((family) => family === found);
}

const limitTexts = {
  five_hour: { name: "five-hour" },
  seven_day: { name: "weekly" },
  seven_day_opus: ofFamily("Opus"),
  seven_day_sonnet: ofFamily("Sonnet"),
  seven_day_haiku: ofFamily("Haiku"),
  seven_day_fable: ofFamily("Fable"),
  seven_day_mythos: ofFamily("Mythos"),
  seven_day_overage_included: ofFamily("Fable"),
  overage: { name: "extra usage" },
  long_context_credits_required: {
    hold: (model) =>
      `${model} needs usage credits for its long context. Tasks that use other models continue. Start these tasks again with a model name without \`[1m]\`, or turn on usage credits.`,
    advice: (option) => `Name a ${option("model")} without \`[1m]\`, or turn on usage credits.`,
  },
  model_requires_usage_credits: {
    hold: (model) =>
      `${model} needs usage credits. Tasks that use other models continue. Start these tasks again with another model, or turn on usage credits.`,
    advice: (option) => `Name another ${option("model")}, or turn on usage credits.`,
  },
  usage_credits: {
    hold: () =>
      "The account has no usage credits left, or may not use any. Buy some, or ask an admin of the organization.",
    advice: () => "Buy usage credits, or ask an admin of the organization for some.",
  },
  organization_disabled: {
    hold: () =>
      "The organization of this login or API key has been disabled. Log in with another account (`claude` in a terminal, then `/login`), or ask its admin. To use another API key from the environment, start a new batch.",
    advice: () => "Log in with another account, or use an API key of another organization.",
  },
  account_on_hold: {
    hold: () =>
      "The account is on hold. Follow the link that Claude Code shows, or log in with another account (`claude` in a terminal, then `/login`).",
    advice: () => "Follow the link in the message, or log in with another account.",
  },
  verification_required: {
    hold: () =>
      "The account or its organization must be verified: run `claude` in a terminal, and follow the instructions.",
    advice: (_, run) => `To verify it, ${run("claude")} and follow the instructions.`,
  },
  cloud_credential_error: {
    hold: () =>
      "The credentials of the cloud provider cannot be loaded. Renew them in a terminal (for example with `aws sso login` or `gcloud auth login`). To use other credentials from the environment, start a new batch.",
    advice: () => "Renew the credentials of the cloud provider.",
  },
  oauth_org_not_allowed: {
    hold: () =>
      "The organization does not allow subscription logins for Claude Code. Start a new batch with an API key, or ask its admin.",
    advice: () => "Set `ANTHROPIC_API_KEY`, or ask an admin of the organization to allow the login.",
  },
} as const satisfies Record<string, LimitText>;

/** Our own names for refusals. The CLI's events may use others. */
export type LimitType = keyof typeof limitTexts;

/** Refusals that concern only the model under exactly the name requested. */
export const modelNameTypes: ReadonlySet<string> = new Set<LimitType>([
  "long_context_credits_required",
  "model_requires_usage_credits",
]);

/** What to say about a limit. An unknown one is named after its family, or is the account's usage limit. */
export function limitText(type: string | undefined): LimitText {
  const known: Readonly<Record<string, LimitText>> = limitTexts;
  const text = type !== undefined && Object.hasOwn(known, type) ? known[type] : undefined;
  if (text) return text;
  const family = familyIn(type);
  return family ? ofFamily(family[0]?.toUpperCase() + family.slice(1), "") : { name: "usage" };
}

function ofFamily(family: string, span = "weekly "): LimitText {
  return {
    name: `${span}${family}`,
    advice: (option) => `Wait until the limit resets, or name another ${option("model")}.`,
  };
}
