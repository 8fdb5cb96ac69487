// Faults of model names that can be found without asking anybody. Refuses only other makers' names and misspelled
// aliases, because there are new models every month.
import { readSettingsFile } from "../claude/settings-file.ts";
import type { SessionOptionsInput } from "../model/options.ts";
import { homeDirectory, join } from "../platform/paths.ts";
import { type Fault, instead, type Place } from "./fault.ts";
import { excerpt } from "./faults.ts";
import { nearest } from "./nearest.ts";

/** What Claude Code accepts instead of a full name; `[1m]` may follow. */
const aliases = ["default", "best", "opus", "sonnet", "haiku", "fable", "opusplan"];

const ofOthers =
  /^(?:(?:openai|google|meta|mistralai|deepseek|x-ai|qwen)\/|(?:gpt|chatgpt|gemini|gemma|llama|mistral|mixtral|codestral|deepseek|grok|qwen|kimi)(?:[-_.:\d]|$)|o[1-9](?:-|$)|(?:code-)?davinci)/i;

/** Every fault of the models in one set of options. */
export function modelFaults(options: SessionOptionsInput, workingDirectory: string): Fault[] {
  const { model, fallbackModel, agents, env } = options;
  const given: (readonly [place: Place, name: string])[] = [
    ...(model === undefined ? [] : [[["model"], model] as const]),
    ...(fallbackModel ?? "")
      .split(",")
      .map((name) => [["fallbackModel"], name.trim()] as const)
      .filter(([, name]) => name !== ""),
    ...modelsOfAgents(agents ?? {}),
  ];
  const faults = given.flatMap(([place, name]) => nameFaults(place, name));
  // Another address may offer any model.
  return faults.length > 0 && hasOtherAddress(env, options.settings, workingDirectory) ? [] : faults;
}

// An agent may also use the session's model.
function modelsOfAgents(agents: Record<string, unknown>): [place: Place, name: string][] {
  return Object.entries(agents).flatMap(([name, agent]): [Place, string][] => {
    const model = fieldOf(agent, "model");
    const isOwn = typeof model === "string" && model.trim().toLowerCase() !== "inherit";
    return isOwn ? [[["agents", name, "model"], model]] : [];
  });
}

const expected = "expected an alias (`opus`, `sonnet`, `haiku` …) or the full name of a Claude model";

function nameFaults(place: Place, name: string): Fault[] {
  const plain = name.replace(/\[[^\]]*\]$/, "").toLowerCase();
  if (/\s/.test(name) || ofOthers.test(plain)) return [instead(place, excerpt(name), expected)];
  if (aliases.includes(plain)) return [];
  const near = nearest(plain, aliases);
  return near === undefined ? [] : [instead(place, excerpt(name), expected, near)];
}

const address =
  /^(?:ANTHROPIC_(?:\w+_)?BASE_URL|CLAUDE_CODE_USE_\w+|ANTHROPIC_(?:DEFAULT_\w+|SMALL_FAST|CUSTOM)_MODEL\w*)$/;

// Claude Code reads variables from settings too.
function hasOtherAddress(
  env: SessionOptionsInput["env"],
  settings: SessionOptionsInput["settings"],
  workingDirectory: string,
): boolean {
  const directory = process.env["CLAUDE_CONFIG_DIR"] ?? join(homeDirectory(), ".claude");
  const files = [
    join(directory, "settings.json"),
    join(workingDirectory, ".claude", "settings.json"),
    join(workingDirectory, ".claude", "settings.local.json"),
    "/etc/claude-code/managed-settings.json",
  ];
  const all = [settings, ...files.map((file) => settingsOf(file))];
  return (
    [process.env, env, ...all.map((one) => fieldOf(one, "env"))].some(
      (variables) =>
        typeof variables === "object" &&
        variables !== null &&
        Object.keys(variables).some((name) => address.test(name)),
    ) || all.some((one) => fieldOf(one, "modelOverrides") !== undefined)
  );
}

function settingsOf(file: string): Record<string, unknown> | undefined {
  const read = readSettingsFile(file);
  return read.kind === "settings" ? read.settings : undefined;
}

function fieldOf(settings: unknown, name: string): unknown {
  return typeof settings === "object" && settings !== null ? Reflect.get(settings, name) : undefined;
}
