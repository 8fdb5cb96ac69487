// The server of `ui`: on this machine only, for browsers that were let in.
import { product } from "../../model/product.ts";
import type { Context } from "../../operations/context.ts";
import { listAddress } from "../../operations/ui/addresses.ts";
import { takeCode } from "../../operations/ui/place.ts";
import { Served } from "../../operations/ui/served.ts";
import { RestingMemory } from "../../platform/resting-memory.ts";
import { leadingPage } from "../../report/leading-page.ts";
import { keyHeader } from "../../report/wire/acts.ts";
import { codeName, Keys } from "./keys.ts";
import { actedReply, pageReply, refusal } from "./replies.ts";
import { type Route, routes } from "./routes.ts";
import { whyNot } from "./why-not.ts";

const loopback = "127.0.0.1";
/** Longest body, in bytes. */
const longestBody = 1024 * 1024;
/** How long a connection may be silent that waits for nothing, in seconds. */
const idleSeconds = 30;

/** A server that runs. */
export interface UiServer extends Disposable {
  port: number;
  /** An address that lets a browser in, once. */
  addressOf(path: string): string;
}

/** Starts listening. Throws if the port is not available. */
export function openUi(context: Context, { port: asked, token }: { port: number; token: string }): UiServer {
  const keys = new Keys(token, (code) => takeCode(context, code));
  const served = new Served(context);
  const streams = new Set<Disposable>();
  const ended = new AbortController();
  // Pages that stay open do not count as work: some do so all night, and what they are sent takes little.
  const memory = new RestingMemory(() => false, { first: () => context.openedStore?.giveMemoryBack() });
  const server = Bun.serve({
    hostname: loopback,
    port: asked,
    idleTimeout: idleSeconds,
    maxRequestBodySize: longestBody,
    fetch: async (request, listening) => {
      const port = listening.port ?? asked;
      // First: under a name that is none, a request has no whole address.
      const refused = stranger(request, port);
      if (refused) return refused;
      const url = new URL(request.url);
      const entered = await newcomer(request, url, { keys, port });
      if (entered) return entered;
      const found = routeOf(request.method, url.pathname);
      if (found === undefined) return refusal(404, "There is no such page.");
      const { route, parts } = found;
      const forbidden = refusalOf(request, route, { keys, port });
      if (forbidden) return forbidden;
      memory.worked();
      return route.answer({
        request,
        url,
        parts,
        context,
        served,
        keys,
        streams,
        patiently: () => listening.timeout(request, 0),
        signal: ended.signal,
      });
    },
    error: (error) => {
      const why = whyNot(error, context);
      if (why !== undefined) return refusal(503, why);
      console.error(error);
      return refusal(500, "Internal error. The terminal in which `ui` runs says more.");
    },
  });
  const port = server.port ?? asked;
  return {
    port,
    addressOf: (path) => addressWith(port, path, keys.newCode()),
    [Symbol.dispose]: () => {
      memory[Symbol.dispose]();
      ended.abort();
      for (const stream of [...streams]) stream[Symbol.dispose]();
      served[Symbol.dispose]();
      void server.stop(true);
    },
  };
}

/** An address that lets a browser in, once. */
export function addressWith(port: number, path: string, code: string): string {
  return `http://${loopback}:${port}${path}?${codeName}=${code}`;
}

// A page of somebody else may make a name of its own lead to this machine: then the name is another one. And other servers of
// this machine are of the same site, so that a browser sends them our cookie, too: what they ask for is refused, unless
// somebody only follows a link.
function stranger({ headers, method }: Request, port: number): Response | undefined {
  if (!hostsOf(port).includes(headers.get("host") ?? ""))
    return refusal(403, `Open http://${loopback}:${port}/ instead: under another name, nothing is served.`);
  const site = headers.get("sec-fetch-site");
  if (site === null || site === "same-origin" || site === "none") return undefined;
  const followsLink =
    method === "GET" &&
    headers.get("sec-fetch-mode") === "navigate" &&
    headers.get("sec-fetch-dest") === "document";
  return followsLink ? undefined : refusal(403, "A page of another site asked for this. Nothing was done.");
}

// Browsers leave out the port of the protocol.
function hostsOf(port: number): string[] {
  const names = [loopback, "localhost"];
  return [...names.map((name) => `${name}:${port}`), ...(port === 80 ? names : [])];
}

// Somebody who brings a code gets the cookie for it, and a page that leads to the same address without the code. It does so
// by itself, because after a redirect from elsewhere a browser would not send a cookie that is for our own pages only.
async function newcomer(
  request: Request,
  { pathname, searchParams }: URL,
  { keys, port }: { keys: Keys; port: number },
): Promise<Response | undefined> {
  const code = searchParams.get(codeName);
  if (request.method !== "GET" || code === null) return undefined;
  // Nowhere but to a page of ours: `//elsewhere` would be a path, too.
  const page = leadingPage(routeOf("GET", pathname) ? pathname : listAddress);
  if (!(await keys.use(code))) {
    if (keys.isKnown(request, port)) return pageReply(page);
    return refusal(
      401,
      `This address has been used already, or it is of an earlier start. Type \`${product.name} ui\` again: it opens a new one.`,
    );
  }
  return pageReply(page, { headers: { "Set-Cookie": keys.cookieFor(port) } });
}

function refusalOf(
  request: Request,
  { who }: Route,
  { keys, port }: { keys: Keys; port: number },
): Response | undefined {
  const { headers } = request;
  if (!keys.isKnown(request, port))
    return refusal(
      401,
      `This browser was not let in yet. Type \`${product.name} ui\` in a terminal: it opens a page that lets it in.`,
    );
  if (who === "reader") return undefined;
  // What only a page of ours can send: no other page knows the key, and none may add such a header or type for another origin.
  const isOurs =
    headers.get("origin") === `http://${headers.get("host")}` &&
    /^application\/json\b/i.test(headers.get("content-type") ?? "") &&
    keys.hasPageKey(headers.get(keyHeader));
  return isOurs
    ? undefined
    : actedReply({ error: "Only a page of this server may do that. Reload the page." }, 403);
}

const patterns = routes.map((route) => ({
  route,
  pattern: new RegExp(`^${route.path.replace(/:(\w+)/g, "(?<$1>[a-z0-9-]{1,20})")}$`),
}));

function routeOf(method: string, path: string): { route: Route; parts: Record<string, string> } | undefined {
  for (const { route, pattern } of patterns) {
    const match = route.method === method ? pattern.exec(path) : null;
    if (match) return { route, parts: { ...match.groups } };
  }
  return undefined;
}
