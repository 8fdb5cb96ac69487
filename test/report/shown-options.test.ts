// What is shown of options: never a value that may be a secret, in dry runs and in what a retry says.
import { expect, test } from "bun:test";
import { optionsText } from "../../src/report/option-words.ts";
import { shownOptions } from "../../src/report/shown-options.ts";

const secret = "s3cr3t";

const given = {
  model: "opus",
  env: { TOKEN: secret },
  settings: {
    model: "haiku",
    env: { ANTHROPIC_API_KEY: secret },
    apiKeyHelper: "/bin/helper",
    permissions: { allow: ["Read"] },
    pluginConfigs: [{ options: { apiToken: secret } }],
  },
  mcpConfig: JSON.stringify({
    mcpServers: {
      local: { command: "server", args: ["--token", secret], env: { KEY: secret } },
      remote: {
        type: "http",
        url: `https://me:${secret}@host/${secret}`,
        headers: { Authorization: secret },
      },
      odd: secret,
    },
  }),
  expect: { pattern: "OK" },
};

test("shows names of variables and servers, and no value that may be a secret", () => {
  const shown = shownOptions(given);
  expect(JSON.stringify(shown)).not.toContain(secret);
  expect(shown).toEqual({
    model: "opus",
    env: ["TOKEN"],
    settings: {
      model: "haiku",
      env: { ANTHROPIC_API_KEY: "…" },
      apiKeyHelper: "/bin/helper",
      permissions: { allow: ["Read"] },
      pluginConfigs: [{ options: { apiToken: "…" } }],
    },
    mcpConfig: {
      mcpServers: {
        local: { command: "server", args: ["…", "…"], env: { KEY: "…" } },
        remote: { type: "http", url: "https://host/…", headers: { Authorization: "…" } },
        odd: "…",
      },
    },
    expect: { pattern: "OK" },
  });
});

test("shows the file that something was read from, not what is in it", () => {
  const schema = { type: "object" };
  const own = { type: "string" };
  const fileOf = (value: object) => (value === schema ? "/a/schema.json" : undefined);
  const options = { outputSchema: schema, expect: { schema, pattern: "x" }, mcpConfig: "/a/servers.json" };
  expect(shownOptions(options, fileOf)).toEqual({
    outputSchema: "/a/schema.json",
    expect: { schema: "/a/schema.json", pattern: "x" },
    mcpConfig: "/a/servers.json",
  });
  expect(shownOptions({ outputSchema: own, expect: { schema: own } }, fileOf)).toEqual({
    outputSchema: own,
    expect: { schema: own },
  });
});

test("shows nothing of a text that is no JSON, and no secret in a sentence", () => {
  expect(shownOptions({ settings: `{"env": "${secret}"` })).toEqual({ settings: "…" });
  for (const door of ["tools", "command-line"] as const)
    expect(optionsText(door, given)).not.toContain(secret);
});
