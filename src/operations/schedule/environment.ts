// Which variables a schedule gets: systems start it with almost none.
import { settingNames, variableOf } from "../../model/configuration.ts";
import { type Environment, joined } from "../../platform/environment.ts";
import { accountOf, holdsCredentials, isCredential } from "../account.ts";

/** The variables to write down, and the names of those that are set here and stay out, because they are secrets. */
export interface ScheduledEnvironment {
  values: Record<string, string>;
  secrets: string[];
}

/** Settings that may have a password in them. */
const settingsWithSecrets = [variableOf("fleets")];
const settings = settingNames.map(variableOf);

/**
 * What sessions need, of the environment in which the schedule is made: PATH, home, where Claude Code has its
 * configuration, proxies, and settings of this program. Files that others may read get no secret.
 */
export function scheduledEnvironment(environment: Environment): ScheduledEnvironment {
  const all = joined([environment]);
  const ours = Object.entries(all).filter(([name]) => settings.includes(name));
  const isSecret = (name: string, value: string) =>
    settingsWithSecrets.includes(name) || holdsCredentials(value);
  const kept = { ...accountOf(all, "").environment, ...Object.fromEntries(ours.filter(isOpen)) };
  return {
    values: Object.fromEntries(Object.entries(kept).filter(([, value]) => isOneLine(value))),
    secrets: Object.entries(all)
      .filter(([name, value]) => choosesLogin(name, all) || (isWanted(name) && isSecret(name, value)))
      .map(([name]) => name),
  };

  function isOpen([name, value]: [string, string]): boolean {
    return !isSecret(name, value);
  }
}

// Those of a cloud only where Claude Code uses it: many have them for other programs.
function choosesLogin(name: string, all: Environment): boolean {
  const usesCloud = Object.keys(all).some((one) => one.startsWith("CLAUDE_CODE_USE_"));
  return isCredential(name) && (usesCloud || /^(?:ANTHROPIC|CLAUDE)_/.test(name));
}

function isWanted(name: string): boolean {
  return settings.includes(name) || /_proxy$/i.test(name);
}

// No file of a system has a place for anything else.
function isOneLine(value: string): boolean {
  return !/[\u0000-\u001f\u007f]/.test(value);
}
