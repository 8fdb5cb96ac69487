// THE list of known MCP clients.

/** Their names on a command line, and their titles for people. */
export const clientTitles = {
  "claude-desktop": "Claude Desktop",
  "claude-code": "Claude Code",
  cursor: "Cursor",
  vscode: "VS Code",
  codex: "Codex",
  windsurf: "Windsurf",
  zed: "Zed",
  gemini: "Gemini CLI",
  opencode: "opencode",
  cline: "Cline",
} as const;

export type ClientName = keyof typeof clientTitles;

export const clientNames = Object.keys(clientTitles) as [ClientName, ...ClientName[]];
