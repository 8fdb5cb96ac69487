// The tokens of our servers: of the MCP server over HTTP, and of `ui`.
import { messageOf } from "../platform/system-error.ts";
import { StoreProblem } from "../store/database.ts";
import { type HttpToken, httpToken } from "../store/http-token.ts";
import { layoutOf } from "../store/layout.ts";
import { stateDirectoryOf } from "./configuration.ts";
import { type Context, UserError } from "./context.ts";

/** Created at its first use, and stored in `file`. Throws `UserError` if it cannot be stored. */
export function clientToken(context: Context): Promise<HttpToken & { file: string }> {
  return tokenIn(context, "httpTokenFile");
}

/** The same for the pages of `ui`. */
export function uiToken(context: Context): Promise<HttpToken & { file: string }> {
  return tokenIn(context, "uiTokenFile");
}

async function tokenIn(
  { configuration }: Context,
  name: "httpTokenFile" | "uiTokenFile",
): Promise<HttpToken & { file: string }> {
  const layout = layoutOf(stateDirectoryOf(configuration));
  const file = layout[name];
  try {
    return { ...(await httpToken(layout, name)), file };
  } catch (error) {
    if (error instanceof StoreProblem) throw new UserError(error.message);
    throw new UserError(`The token cannot be kept in ${file}: ${messageOf(error)}`);
  }
}
