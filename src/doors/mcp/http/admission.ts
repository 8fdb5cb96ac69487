// Who may use the HTTP door: the right Host, the right Origin, the right token. Nothing else of a request is read before.
import {
  hostHeaderValidationResponse,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  originValidationResponse,
} from "@modelcontextprotocol/server";
import { sameSecret } from "../../../platform/secret.ts";
import { type Address, isWildcard } from "./address.ts";

/** The path of the door. */
export const path = "/mcp";

/** Returns the refusal of a request, or nothing. */
export function admission({ host }: Address, token: string): (request: Request) => Response | undefined {
  const hosts = [...new Set([...localhostAllowedHostnames(), host])];
  const origins = [...new Set([...localhostAllowedOrigins(), host])];
  return (request) =>
    // On all addresses of a machine, its host names are unknown, so only the token protects.
    (isWildcard(host) ? undefined : hostHeaderValidationResponse(request, hosts)) ??
    originValidationResponse(request, origins) ??
    tokenRefusal(request, token) ??
    (new URL(request.url).pathname === path
      ? undefined
      : refusal(404, `There is nothing here; the server is at ${path}.`));
}

/** A response that is no result: a JSON-RPC error that belongs to no request. */
export function refusal(
  status: number,
  message: string,
  { code = -32_000, headers = {} }: { code?: number; headers?: Record<string, string> } = {},
): Response {
  return Response.json({ jsonrpc: "2.0", error: { code, message }, id: null }, { status, headers });
}

function tokenRefusal({ headers }: Request, token: string): Response | undefined {
  const [, given = ""] = /^Bearer +(\S+)$/i.exec(headers.get("authorization") ?? "") ?? [];
  if (sameSecret(given, token)) return undefined;
  const how = given === "" ? "The request has no token" : "The token is wrong";
  return refusal(401, `${how}: send \`Authorization: Bearer …\` with what \`serve --http\` printed.`, {
    headers: { "WWW-Authenticate": "Bearer" },
  });
}
