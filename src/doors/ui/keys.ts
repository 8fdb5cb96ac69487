// Who may use the pages of `ui`. One token, which only this user can read, is the source of all: what a browser keeps is made
// from it, so that it lasts as long, and does not show it.
import { newSecret, sameSecret } from "../../platform/secret.ts";

/** Codes that nobody has used: more are forgotten, the oldest first. */
const mostCodes = 100;
/** How long a browser keeps the cookie, in seconds. */
const cookieSeconds = 90 * 86_400;
/** In an address: lets a browser in, once. */
export const codeName = "code";

export class Keys {
  readonly #token: string;
  readonly #codes = new Set<string>();
  readonly #isLeft: (code: string) => Promise<boolean>;

  /** `isLeft`: whether another process has left this code, which it uses up. */
  constructor(token: string, isLeft: (code: string) => Promise<boolean>) {
    this.#token = token;
    this.#isLeft = isLeft;
  }

  /** Sent by our pages with each action. Pages of others, to which a browser would add the cookie, do not know it. */
  get ofPages(): string {
    return this.#made("page");
  }

  /** A code for an address. */
  newCode(): string {
    const code = newSecret();
    const [oldest] = this.#codes;
    if (this.#codes.size >= mostCodes && oldest !== undefined) this.#codes.delete(oldest);
    this.#codes.add(code);
    return code;
  }

  /** Whether a code is one that nobody has used; from now on it is used. */
  async use(code: string): Promise<boolean> {
    return this.#codes.delete(code) || (await this.#isLeft(code));
  }

  /** Lets a browser in from now on. Cookies know no ports, so each port has a name of its own. */
  cookieFor(port: number): string {
    return `${cookieName(port)}=${this.#made("cookie")}; Path=/; Max-Age=${cookieSeconds}; HttpOnly; SameSite=Strict`;
  }

  /** Whether the request comes from a browser that was let in, or from a program that has the token. */
  isKnown({ headers }: Request, port: number): boolean {
    const own = this.#made("cookie");
    return this.#hasToken(headers) || cookiesOf(headers, port).some((cookie) => sameSecret(cookie, own));
  }

  #hasToken(headers: Headers): boolean {
    const [, given = ""] = /^Bearer +(\S+)$/i.exec(headers.get("authorization") ?? "") ?? [];
    return sameSecret(given, this.#token);
  }

  /** Whether one of our pages has made the request. */
  hasPageKey(given: string | null): boolean {
    return sameSecret(given ?? "", this.ofPages);
  }

  #made(purpose: string): string {
    return new Bun.CryptoHasher("sha256", this.#token).update(`ui ${purpose}`).digest("base64url");
  }
}

function cookieName(port: number): string {
  return `ui-${port}`;
}

// Another server of this machine may have set one of the same name, for a longer path, which then comes first.
function cookiesOf(headers: Headers, port: number): string[] {
  const cookies = (headers.get("cookie") ?? "").split(/; */);
  const begin = `${cookieName(port)}=`;
  return cookies.flatMap((cookie) => (cookie.startsWith(begin) ? [cookie.slice(begin.length)] : []));
}
