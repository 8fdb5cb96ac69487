// `server.json`, the entry in the MCP registry.
import { configurationSchema, variableOf } from "../../src/model/configuration.ts";
import { formFields } from "./bundle.ts";
import { downloads, release } from "./release.ts";

/** The entry, with the checksum of each bundle. */
export function registryEntry(bundles: ReadonlyMap<string, string>) {
  const transport = { type: "stdio" };
  return {
    $schema: "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
    name: release.mcpName,
    title: "Parallel Claude Code",
    description: "Runs headless Claude Code sessions in parallel, one or hundreds at a time.",
    version: release.version,
    repository: { url: release.repository, source: "github" },
    websiteUrl: release.repository,
    packages: [
      {
        registryType: "npm",
        identifier: release.name,
        version: release.version,
        runtimeHint: "npx",
        transport,
        environmentVariables,
      },
      // The registry refuses a version here: the address has it.
      ...[...bundles].map(([file, fileSha256]) => ({
        registryType: "mcpb",
        identifier: `${downloads}/${file}`,
        fileSha256,
        transport,
      })),
    ],
  };
}

// What users of a bundle are asked for, users of the registry's clients may set too. A client may ask for each of them.
const presets: Readonly<Record<string, unknown>> = configurationSchema.parse({});
const environmentVariables = Object.values(formFields).map(({ setting, type }) => {
  const preset = presets[setting];
  return {
    name: variableOf(setting),
    description: configurationSchema.shape[setting].unwrap().description ?? "",
    format: type === "directory" || type === "file" ? "filepath" : type,
    isRequired: false,
    isSecret: false,
    ...(preset === undefined ? {} : { default: String(preset) }),
  };
});
