// Whose login and environment a batch uses: enough to distinguish two accounts, nothing that could be used to log in.
import type { Account } from "../model/event.ts";
import { type Environment, joined, variableKey } from "../platform/environment.ts";

/** Stored as values: a resumed batch must find the same things in the same places. */
const kept = [
  "PATH",
  "HOME",
  "USERPROFILE",
  "CLAUDE_CONFIG_DIR",
  "ANTHROPIC_BASE_URL",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "ALL_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "all_proxy",
];

/** Credentials, and variables that choose between them; included only in the hash. */
const credential =
  /^(?:ANTHROPIC_(?!BASE_URL$)|CLAUDE_CODE_(?:OAUTH|API_KEY|USE_)|AWS_|GOOGLE_APPLICATION|CLOUD_ML_|VERTEX_)/;

/** The account of an environment. `salt`: the store's, so the hash means nothing elsewhere. */
export function accountOf(environment: Environment, salt: string, platform = process.platform): Account {
  const values: Record<string, string> = {};
  const secrets: string[] = [];
  for (const [spelled, value] of Object.entries(joined([environment], platform))) {
    // On Windows in any case; proxies are known by names in either elsewhere.
    const name = variableKey(spelled, platform);
    if (isCredential(name) || (kept.includes(name) && holdsCredentials(value)))
      secrets.push(`${name}=${value}`);
    else if (kept.includes(name)) values[name] = value;
  }
  const hash = new Bun.CryptoHasher("sha256", salt);
  const identity = loginVariables(platform).map((name) => `${name}=${values[name] ?? ""}`);
  hash.update([...identity, ...secrets.sort()].join("\0"));
  return { hash: hash.digest("hex"), environment: values };
}

/** The variables that say whose login it is, besides credentials; the first names the home. */
export function loginVariables(platform = process.platform): [home: string, ...others: string[]] {
  // On Windows, only Git Bash and its like set HOME, and Claude Code does not heed it.
  return [platform === "win32" ? "USERPROFILE" : "HOME", "CLAUDE_CONFIG_DIR", "ANTHROPIC_BASE_URL"];
}

/** Whether a variable is a credential, or chooses one. */
export function isCredential(name: string): boolean {
  return credential.test(name);
}

/** `http://user:password@proxy` is a secret, although the variable's name does not say so. */
export function holdsCredentials(value: string): boolean {
  return /\/\/[^/@\s]+@/.test(value);
}
