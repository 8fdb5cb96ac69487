// The entry in the MCP registry: what its schema of 2025-12-11 and the registry itself ask for.
import { expect, test } from "bun:test";
import { z } from "zod";
import { formFields } from "../../scripts/release/bundle.ts";
import { metaPackage } from "../../scripts/release/npm.ts";
import { registryEntry } from "../../scripts/release/registry.ts";
import { settingNames, variableOf } from "../../src/model/configuration.ts";

const checksum = "fe333e598595000ae021bd27117db32ec69af6987f507ba7a63c90638ff633ce";
const transport = z.strictObject({ type: z.literal("stdio") });
const noRange = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/;

const entrySchema = z.strictObject({
  $schema: z.literal("https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"),
  name: z
    .string()
    .regex(/^[a-zA-Z0-9][a-zA-Z0-9.-]*[a-zA-Z0-9]\/[a-zA-Z0-9][a-zA-Z0-9._-]*[a-zA-Z0-9]$/)
    .max(200),
  title: z.string().min(1).max(100),
  description: z.string().min(1).max(100),
  version: z.string().regex(noRange).max(255),
  repository: z.strictObject({ url: z.url({ protocol: /^https$/ }), source: z.literal("github") }),
  websiteUrl: z.url({ protocol: /^https$/ }),
  packages: z.array(
    z.discriminatedUnion("registryType", [
      z.strictObject({
        registryType: z.literal("npm"),
        identifier: z.string().regex(/^\S+$/),
        version: z.string().regex(noRange),
        runtimeHint: z.literal("npx"),
        transport,
        environmentVariables: z.array(
          z.strictObject({
            name: z.string().startsWith("PARALLEL_CLAUDE_"),
            description: z.string().min(10),
            format: z.enum(["string", "number", "boolean", "filepath"]),
            isRequired: z.literal(false),
            isSecret: z.literal(false),
            default: z.string().optional(),
          }),
        ),
      }),
      // Of a bundle, neither a version nor the address of a registry.
      z.strictObject({
        registryType: z.literal("mcpb"),
        identifier: z
          .string()
          .regex(
            /^https:\/\/github\.com\/[a-zA-Z0-9-]{1,39}\/[\w.-]+\/releases\/download\/[^/]+\/[^/]*mcp[^/]*$/,
          ),
        fileSha256: z.string().regex(/^[a-f0-9]{64}$/),
        transport,
      }),
    ]),
  ),
});

const entry = registryEntry(new Map([["parallel-claude-code-mcp-linux-x64.mcpb", checksum]]));

test("the entry has what the registry asks for, and nothing that it does not know", () => {
  expect(entrySchema.safeParse(entry).error).toBeUndefined();
  expect(entry.packages.map(({ registryType }) => registryType)).toEqual(["npm", "mcpb"]);
});

test("the npm package shows that it is ours", () => {
  expect(entry.packages[0]).toMatchObject({ identifier: metaPackage.name, version: metaPackage.version });
  expect(metaPackage.mcpName).toBe(entry.name);
});

test("the variables are those of settings, the same that the bundle's form asks for", () => {
  const [npm] = entrySchema.parse(entry).packages;
  const names = npm?.registryType === "npm" ? npm.environmentVariables.map(({ name }) => name) : [];
  expect(names).toEqual(Object.values(formFields).map(({ setting }) => variableOf(setting)));
  expect(settingNames.map(variableOf)).toEqual(expect.arrayContaining(names));
  expect(names).toContain("PARALLEL_CLAUDE_BATCH_BUDGET_USD");
});
