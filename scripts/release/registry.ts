// `server.json`, the entry in the MCP registry.
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
    packages: [
      { registryType: "npm", identifier: release.name, version: release.version, transport },
      ...[...bundles].map(([file, fileSha256]) => ({
        registryType: "mcpb",
        identifier: `${downloads}/${file}`,
        fileSha256,
        transport,
      })),
    ],
  };
}
