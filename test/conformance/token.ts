// Loaded before the suite, in its process. The suite knows of no token, and our door lets nobody in without one: each
// request that the suite makes to the door gets it on the way. The door itself is the one of the product.
const token = process.env["CONFORMANCE_TOKEN"];
const door = process.env["CONFORMANCE_DOOR"];
const plain = globalThis.fetch;

const withToken = (input: string | URL | Request, init: RequestInit = {}) => {
  const given = input instanceof Request ? input : undefined;
  if (new URL(given?.url ?? String(input)).origin !== door) return plain(input, init);
  const headers = new Headers(init.headers ?? given?.headers);
  headers.set("Authorization", `Bearer ${token}`);
  return plain(input, { ...init, headers });
};
globalThis.fetch = Object.assign(withToken, { preconnect: plain.preconnect });
