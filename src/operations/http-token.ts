// The token of the server over HTTP.
import { messageOf } from "../platform/system-error.ts";
import { StoreProblem } from "../store/database.ts";
import { type HttpToken, httpToken } from "../store/http-token.ts";
import { layoutOf } from "../store/layout.ts";
import { stateDirectoryOf } from "./configuration.ts";
import { type Context, UserError } from "./context.ts";

/** Created at its first use, and stored in `file`. Throws `UserError` if it cannot be stored. */
export async function clientToken({ configuration }: Context): Promise<HttpToken & { file: string }> {
  const layout = layoutOf(stateDirectoryOf(configuration));
  const file = layout.httpTokenFile;
  try {
    return { ...(await httpToken(layout)), file };
  } catch (error) {
    if (error instanceof StoreProblem) throw new UserError(error.message);
    throw new UserError(`The token cannot be kept in ${file}: ${messageOf(error)}`);
  }
}
