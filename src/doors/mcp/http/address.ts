// Where the HTTP door listens: what the operator wrote, and whether others can reach it there.
import type { Checked } from "../../../operations/faults.ts";

export interface Address {
  /** As in a URL: in small letters, of IPv6 the shortest form, in brackets. Requests name it so. */
  host: string;
  port: number;
}

/** `8080`, `localhost:8080`, `[::1]:8080`. */
export function addressFrom(text: string): Checked<Address> {
  const parts = /^(?:(?<host>[^:[\]\s/\\?#@%]+|\[[0-9a-f:.]+\]):)?(?<port>\d{1,5})$/i.exec(text)?.groups;
  const port = Number(parts?.["port"]);
  const host = URL.parse(`http://${parts?.["host"] ?? "127.0.0.1"}`)?.hostname;
  if (parts && host !== undefined && port <= 65_535) return { ok: true, value: { host, port } };
  return {
    ok: false,
    faults: [
      `--http was given as ${JSON.stringify(text)}: expected a port from 0 to 65535, or HOST:PORT, as in 8080, localhost:8080 or [::1]:8080; port 0 uses any free port`,
    ],
  };
}

/** Whether only this machine reaches it. */
export function isLoopback(host: string): boolean {
  return /^(localhost|\[::1\]|127(\.\d{1,3}){3})$/.test(host);
}

/** Whether it means every address of the machine, whose names nobody here can know. */
export function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || host === "[::]";
}

/** What a client on this machine writes: a wildcard is a place to listen, and none to connect to. */
export function urlHost(host: string): string {
  if (!isWildcard(host)) return host;
  return host.startsWith("[") ? "[::1]" : "127.0.0.1";
}

/** As Bun wants it: without the brackets of an address of IPv6. */
export function hostname({ host }: Address): string {
  return host.replace(/^\[|\]$/g, "");
}
