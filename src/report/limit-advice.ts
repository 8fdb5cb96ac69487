// What to do about a refusal of which more is known than its reason, by the name that it has in the outcome.

/** Words an option in the way of one door. */
type Option = (name: string) => string;

const otherModel = (option: Option) => `Wait until the limit resets, or name another ${option("model")}.`;

const advice: Record<string, (option: Option) => string> = {
  seven_day_opus: otherModel,
  seven_day_sonnet: otherModel,
  seven_day_overage_included: otherModel,
  long_context_credits_required: (option) =>
    `Name a ${option("model")} without \`[1m]\`, or turn on usage credits.`,
  model_requires_usage_credits: (option) => `Name another ${option("model")}, or turn on usage credits.`,
  usage_credits: () => "Buy usage credits, or ask an admin of the organization for some.",
  organization_disabled: () => "Log in with another account, or use an API key of another organization.",
  account_on_hold: () => "Follow the link in the message, or log in with another account.",
  verification_required: () => "Run `claude` and follow what it says about the verification.",
  cloud_credential_error: () => "Renew the credentials of the cloud provider.",
  oauth_org_not_allowed: () =>
    "Set `ANTHROPIC_API_KEY`, or ask an admin of the organization to allow the login.",
};

/** One sentence; nothing where the reason says all there is. `limitType` is the outcome's. */
export function limitAdvice(limitType: string | undefined, option: Option): string | undefined {
  return advice[limitType ?? ""]?.(option);
}
