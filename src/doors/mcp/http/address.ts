// The address of the HTTP door, and who can reach it.
import type { Checked } from "../../../operations/faults.ts";

export interface Address {
  /** As in a URL: lower case; IPv6 in its shortest form, in brackets. Requests use this form. */
  host: string;
  port: number;
}

/** `8080`, `localhost:8080`, `[::1]:8080`. */
export function addressFrom(text: string): Checked<Address, string> {
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

/** Whether only this machine can reach it. */
export function isLoopback(host: string): boolean {
  return /^(localhost|\[::1\]|127(\.\d{1,3}){3})$/.test(host);
}

/** Whether it means every address of the machine, whose names are unknown here. */
export function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || host === "[::]";
}

/** What a client on this machine writes: a wildcard is an address to listen on, not to connect to. */
export function urlHost(host: string): string {
  if (!isWildcard(host)) return host;
  return host.startsWith("[") ? "[::1]" : "127.0.0.1";
}

/** For Bun: an IPv6 address without brackets. */
export function hostname({ host }: Address): string {
  return host.replace(/^\[|\]$/g, "");
}
