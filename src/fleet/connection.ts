// The connection to a fleet's Redis or Valkey: how to reach it, and what is wrong in words.
import type { Redis, RedisOptions } from "ioredis";
import { type FleetTiming, fleetTiming } from "./timing.ts";

/** How to reach a server. */
export interface RedisPlace {
  /** `redis://` or, with TLS, `rediss://`; with user, port and database. */
  url: string;
  /** Unless it is in the URL. */
  password?: string | undefined;
  /** The certificate of the authority that signed the server's, as PEM, if the system does not know it. */
  ca?: string | undefined;
}

/** How long one attempt to connect may take, in milliseconds. */
const connectMs = 10_000;
/**
 * How long an answer may take before the connection counts as broken, in milliseconds: a network may drop packets silently, also
 * all those of one connection, when a machine gets another address. Longer than BullMQ waits on the server for something new.
 */
const answerMs = 20_000;
/** The pauses between attempts: from the first to the longest, in milliseconds. */
const firstPauseMs = 200;
const longestPauseMs = 5_000;

/** So often within a lease must be tried, so that its owner is back before another worker begins. */
type Pace = Pick<FleetTiming, "leaseRenewMs">;

/** Options for a driver that never gives up: what it is asked to do during an outage happens afterwards. */
export function redisOptions({ url, password, ca }: RedisPlace, { leaseRenewMs }: Pace = fleetTiming()) {
  const { protocol, hostname, port, username, password: inUrl, pathname } = new URL(url);
  const secret = password ?? (inUrl === "" ? undefined : decodeURIComponent(inUrl));
  const database = Number(pathname.slice(1) || 0);
  return {
    // An address of version 6 stands in brackets in a URL.
    host: hostname.replace(/^\[(.*)\]$/, "$1") || "127.0.0.1",
    port: port === "" ? 6379 : Number(port),
    db: database,
    ...(username === "" ? {} : { username: decodeURIComponent(username) }),
    ...(secret === undefined ? {} : { password: secret }),
    ...(protocol === "rediss:" ? { tls: ca ? { ca } : {} } : {}),
    connectTimeout: connectMs,
    socketTimeout: answerMs,
    maxRetriesPerRequest: null,
    retryStrategy: (times: number) =>
      Math.min(longestPauseMs, leaseRenewMs, firstPauseMs * 2 ** Math.min(times - 1, 10)),
  } satisfies RedisOptions;
}

/** A connection of its own, which is made again whenever it breaks. Trouble goes to `troubles`. */
export async function connect(place: RedisPlace, troubles: Troubles, pace?: Pace): Promise<Redis> {
  const { Redis: Connection } = await import("ioredis");
  const redis = new Connection(redisOptions(place, pace));
  redis.on("error", (error) => troubles.heard(error));
  redis.on("ready", () => troubles.over());
  return redis;
}

/** An address as messages show it: without the password. */
export function shownUrl(url: string): string {
  try {
    const shown = new URL(url);
    if (shown.password !== "") shown.password = "…";
    return decodeURIComponent(shown.href).replace(/\/$/, "");
  } catch {
    // What is no address has no password in the place of one.
    return url.replace(/\/\/.*@/, "//…@");
  }
}

/** What an error of the driver means for its user. */
export function redisTroubleText(error: unknown, url: string): string {
  const where = `Redis at ${shownUrl(url)}`;
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error ? String(Reflect.get(error, "code") ?? "") : "";
  const said = `${code} ${message}`;
  const known = causes.find(([pattern]) => pattern.test(said));
  return known ? `${where} ${known[1]} (${message || code})` : `${where} cannot be used: ${message || code}`;
}

const causes: readonly (readonly [RegExp, string])[] = [
  [/WRONGPASS|invalid password/i, "refuses the user or the password"],
  [/NOAUTH/, "requires a user and a password"],
  // The second one is what a script of ours says.
  [/NOPERM|can't run this command/, "does not allow the user to do this; its ACL needs what the docs list"],
  [/ECONNREFUSED/, "does not answer: nothing listens there"],
  [/ENOTFOUND|EAI_AGAIN/, "cannot be found: no such host"],
  [/ALTNAME|altname|Hostname\/IP/i, "has a certificate for another name"],
  [
    /SELF_SIGNED|self.signed|UNABLE_TO|unable to (?:verify|get)|CERT_UNTRUSTED/i,
    "has a certificate of an authority that this machine does not know; name it with `ca`",
  ],
  [/CERT_HAS_EXPIRED|expired/i, "has a certificate that has expired"],
  [
    /WRONG_VERSION|wrong version|packet length|EPROTO/i,
    "does not speak TLS on this port; use `redis://`, or the port for TLS",
  ],
  [/ETIMEDOUT|timed? ?out/i, "does not answer in time"],
  [/LOADING/, "is reading its data, and will answer soon"],
  [/MISCONF|OOM/, "takes no more data"],
  [/READONLY/, "is a replica, which takes no data"],
  [/ECONNRESET|closed|EPIPE/i, "closed the connection; a port for TLS needs `rediss://`"],
];

/** How often the same trouble is said again, in milliseconds. */
const sayAgainMs = 60_000;

/** Says what is wrong with a connection: once, and not again for each of the many attempts. */
export class Troubles {
  readonly #url: string;
  readonly #say: (text: string) => void;
  #last: { text: string; at: number } | undefined;

  constructor(url: string, say: (text: string) => void) {
    this.#url = url;
    this.#say = say;
  }

  /** Why the connection does not work at present; undefined if it does. */
  get current(): string | undefined {
    return this.#last?.text;
  }

  heard(error: unknown): void {
    const text = redisTroubleText(error, this.#url);
    const now = performance.now();
    if (this.#last?.text === text && now - this.#last.at < sayAgainMs) return;
    this.#last = { text, at: now };
    this.#say(`${text}. Trying again until it works.`);
  }

  /** The connection works again. */
  over(): void {
    if (!this.#last) return;
    this.#last = undefined;
    this.#say(`Redis at ${shownUrl(this.#url)} can be used again.`);
  }
}
