// Options as they may be shown: without values that may be secrets, and without the contents of files.
import { secretOptions } from "../model/options.ts";

/** Stands for a value that is not shown. */
const hidden = "…";

/** Whose values are for the session alone, wherever they are in settings or in a server's configuration. */
const isSecretHolder = (name: string) => /^(?:env|headers)$/i.test(name);
const isSecretName = (name: string) =>
  /token|secret|passw|credential|authorization|api[-_]?key(?!helper)/i.test(name);

/**
 * Options without secrets: of `env` only names, of settings and MCP servers no values of variables, headers and arguments.
 * `fileOf`: the file that an object was read from, which is shown instead of what is in it.
 */
export function shownOptions(
  options: Readonly<Record<string, unknown>>,
  fileOf: (value: object) => string | undefined = () => undefined,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [name, shownOption(name, value, fileOf)]),
  );
}

function shownOption(name: string, value: unknown, fileOf: (value: object) => string | undefined): unknown {
  const whole = name === "settings" || name === "mcpConfig" ? parsed(value) : value;
  if (!isObject(whole)) return whole;
  const file = fileOf(whole);
  if (file !== undefined) return file;
  if (secretOptions.includes(name)) return Object.keys(whole);
  if (name === "settings") return withoutSecrets(whole);
  if (name === "mcpConfig") return withoutServerSecrets(whole);
  if (name !== "expect") return whole;
  const { schema, ...others } = whole;
  return schema === undefined ? whole : { ...others, schema: (isObject(schema) && fileOf(schema)) || schema };
}

function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      isSecretHolder(name) || (isSecretName(name) && typeof inner === "string")
        ? withoutValues(inner)
        : withoutSecrets(inner),
    ]),
  );
}

// Arguments and addresses of servers often have tokens in them.
function withoutServerSecrets({ mcpServers, ...others }: Record<string, unknown>): unknown {
  const servers = isObject(mcpServers) ? Object.entries(mcpServers) : [];
  const shown = servers.map(([name, server]) => {
    if (!isObject(server)) return [name, hidden];
    const { args, url, ...rest } = server;
    return [
      name,
      {
        ...withoutSecretsOf(rest),
        ...(args === undefined ? {} : { args: withoutValues(args) }),
        ...(url === undefined ? {} : { url: typeof url === "string" ? withoutAccess(url) : hidden }),
      },
    ];
  });
  return {
    ...withoutSecretsOf(others),
    ...(mcpServers === undefined ? {} : { mcpServers: Object.fromEntries(shown) }),
  };
}

function withoutSecretsOf(value: Record<string, unknown>): Record<string, unknown> {
  const shown = withoutSecrets(value);
  return isObject(shown) ? shown : {};
}

function withoutValues(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(() => hidden);
  if (!isObject(value)) return hidden;
  return Object.fromEntries(Object.keys(value).map((name) => [name, hidden]));
}

// Only where it is: a path may have a key in it, as that of a webhook does.
function withoutAccess(url: string): string {
  const parsedUrl = URL.parse(url);
  return parsedUrl ? `${parsedUrl.protocol}//${parsedUrl.host}/${hidden}` : hidden;
}

// JSON is taken as a text, too.
function parsed(value: unknown): unknown {
  if (typeof value !== "string" || !/^[\s\ufeff]*\{/.test(value)) return value;
  try {
    return JSON.parse(value.trimStart());
  } catch {
    // What is no JSON may still be somebody's secret.
    return hidden;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
