// System errors that any call may throw, as a sentence that says what to do: users must fix them. `explained` handles
// errors of the store; everything else thrown is a bug.
import { product } from "../model/product.ts";
import { reasonOf, systemCode } from "../platform/system-error.ts";

/** What to do about an error that a user can fix; undefined for any other. */
export function troubleText(error: unknown): string | undefined {
  const code = systemCode(error);
  if (code === undefined || !(error instanceof Error)) return undefined;
  const path = "path" in error && typeof error.path === "string" ? error.path : undefined;
  const what = path ?? "A file";
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
      return `${what} cannot be written, because the disk is full. Free some space, for example with \`${product.name} prune\`, and try again.`;
    case "EMFILE":
    case "ENFILE":
      return `Too many files are open. Close other programs, lower \`concurrency\`, or raise the limit (\`ulimit -n\`), and try again.`;
    case "EAGAIN":
    case "ENOMEM":
      return `The system cannot start another process (${reasonOf(error)}). Close other programs, or raise the limit (\`ulimit -u\`), and try again.`;
    default:
      // Without a path, nobody could do anything about it.
      return path === undefined ? undefined : `${path} cannot be used: ${reasonOf(error)}. ${remedyOf(code)}`;
  }
}

function remedyOf(code: string): string {
  switch (code) {
    case "EACCES":
    case "EPERM":
      return "Check its owner and permissions, and those of the directories above it.";
    case "EROFS":
      return "Its file system is read-only: choose another directory.";
    case "ENOTDIR":
    case "EISDIR":
    case "EEXIST":
      return "Something else has that name: move it away, or choose another directory.";
    case "EIO":
      return "Check the disk.";
    default:
      return "Check that it exists and that you may use it.";
  }
}
