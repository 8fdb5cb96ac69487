// Where the CLI keeps a conversation, by which it can be gone on with.
import { exists } from "../platform/files.ts";
import { homeDirectory, join } from "../platform/paths.ts";

/**
 * Whether `--resume` will find a conversation: the CLI keeps one file each below its configuration directory, in
 * a folder named for the working directory (`claude-code/` section 20: every character that is no letter or
 * digit becomes `-`).
 */
export function canResume(
  sessionId: string,
  workingDirectory: string,
  environment: Record<string, string | undefined>,
): boolean {
  const home = environment["HOME"] ?? homeDirectory();
  const configuration = environment["CLAUDE_CONFIG_DIR"] ?? join(home, ".claude");
  const folder = workingDirectory.replace(/[^A-Za-z0-9]/g, "-");
  return exists(join(configuration, "projects", folder, `${sessionId}.jsonl`));
}
