// Pages that somebody asks for: where they go, and whether a browser shows them.
import { z } from "zod";
import { makePrivateDirectory } from "../platform/files.ts";
import { absolutePath, dirname } from "../platform/paths.ts";
import { messageOf } from "../platform/system-error.ts";
import { readHead, replaceFile } from "../platform/whole-files.ts";
import { type Context, UserError } from "./context.ts";
import { openingFailure } from "./open-page.ts";

/** The options of an operation that writes a page of something. */
export function pageOptions(what: string) {
  return {
    page: z
      .string()
      .min(1)
      .meta({ description: `Write ${what} as a page to this file.`, placeholder: "FILE" })
      .optional(),
    open: z
      .boolean()
      .meta({ description: `Open ${what} as a page in the browser.` })
      .optional(),
  };
}

/** The answer of such an operation. */
export const pageOutput = z.object({
  page: z.string(),
  opened: z.boolean(),
  failure: z.string().optional().meta({ description: "Why it could not be opened." }),
});

/** The values of these options. */
interface Asked {
  page?: string | undefined;
  open?: boolean | undefined;
}

interface Kind {
  /** Where it goes if nobody says: below the state directory, because it can be made again at any time. */
  usual(): string;
  /** What others would not recognize it by: "no comparison". */
  isNone: string;
  /** Whether the first 512 bytes of a file belong to such a page of ours. */
  isOurs(head: string): boolean;
}

/** Where a page goes. Throws `UserError` if another file is there. */
export async function placeOfPage(context: Context, { page }: Asked, kind: Kind): Promise<string> {
  if (page === undefined) {
    const path = kind.usual();
    makePrivateDirectory(dirname(path));
    return path;
  }
  const path = absolutePath(page, context.workingDirectory);
  const head = await readHead(path, 512);
  if (head === undefined || kind.isOurs(head)) return path;
  throw new UserError(`${path} exists, and is ${kind.isNone}. Nothing was written; give another file.`);
}

/**
 * Writes a page to its place, and opens it if that is asked for. `tag`: the name of its half file. `isPrivate`: whether only
 * this user may read it, wherever it goes.
 */
export async function writePage(
  path: string,
  html: string | Iterable<string>,
  { page, open, tag, isPrivate = false }: Asked & { tag: string; isPrivate?: boolean },
): Promise<z.infer<typeof pageOutput>> {
  try {
    await replaceFile(path, html, { tag, mode: isPrivate || page === undefined ? 0o600 : 0o644 });
  } catch (error) {
    throw new UserError(`The page ${path} could not be written: ${messageOf(error)}`);
  }
  if (!open) return { page: path, opened: false };
  const failure = await openingFailure(path);
  return { page: path, opened: failure === undefined, ...(failure === undefined ? {} : { failure }) };
}
