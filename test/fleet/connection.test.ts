import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { redisOptions, redisTroubleText, shownUrl, Troubles } from "../../src/fleet/connection.ts";
import { fleetTiming } from "../../src/fleet/timing.ts";
import { whyUnreachable } from "../../src/fleet/visit.ts";
import { describeNeeding } from "../facilities.ts";
import { freePort } from "../free-port.ts";
import { OwnRedis } from "../own-redis.ts";

describe("the address of a Redis", () => {
  test("has host, port, user and database", () => {
    expect(redisOptions({ url: "redis://me:p%40ss@box:6380/2" })).toMatchObject({
      host: "box",
      port: 6380,
      username: "me",
      password: "p@ss",
      db: 2,
      maxRetriesPerRequest: null,
    });
    expect(redisOptions({ url: "redis://box" }).tls).toBeUndefined();
    expect(redisOptions({ url: "rediss://box", ca: "PEM" }).tls).toEqual({ ca: "PEM" });
    expect(redisOptions({ url: "redis://[::1]:7000" })).toMatchObject({ host: "::1", port: 7000 });
    expect(redisOptions({ url: "redis://me@box", password: "of a file" }).password).toBe("of a file");
  });

  test("comes with a limit for silence that no wait of BullMQ on the server reaches, and that comes before a lease is over", () => {
    // When a machine gets another address, nothing says to its connections that they are dead.
    const longestBlockMs = 10_000;
    const { socketTimeout } = redisOptions({ url: "redis://box" });
    expect(socketTimeout).toBeGreaterThan(longestBlockMs);
    expect(socketTimeout).toBeLessThan(fleetTiming(undefined).leaseMs);
  });

  test("shows no password", () => {
    expect(shownUrl("rediss://me:secret@box:6380")).toBe("rediss://me:…@box:6380");
    expect(shownUrl("redis://me:secret@box:six")).toBe("redis://…@box:six");
  });
});

describe("trouble with a Redis", () => {
  test("is said once, and when it is over", () => {
    const said: string[] = [];
    const troubles = new Troubles("redis://:secret@box", (text) => said.push(text));
    const refused = Object.assign(new Error("connect ECONNREFUSED 1.2.3.4:6379"), { code: "ECONNREFUSED" });
    troubles.heard(refused);
    troubles.heard(refused);
    expect(troubles.current).toContain("nothing listens there");
    troubles.over();
    troubles.over();
    expect(said).toEqual([
      "Redis at redis://:…@box does not answer: nothing listens there (connect ECONNREFUSED 1.2.3.4:6379). Trying again until it works.",
      "Redis at redis://:…@box can be used again.",
    ]);
  });

  test("of a kind that nobody knows is passed on", () => {
    expect(redisTroubleText(new Error("Odd"), "redis://box")).toBe(
      "Redis at redis://box cannot be used: Odd",
    );
  });
});

describeNeeding("redis", "connections that are refused")("a first look at a Redis", () => {
  let server: OwnRedis;
  beforeAll(async () => {
    server = await OwnRedis.start();
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  test("finds nothing wrong with one that lets us in", async () => {
    expect(await whyUnreachable({ url: server.url })).toBeUndefined();
  });

  test("says that the password is wrong, or missing, or that nobody is there", async () => {
    const { port } = server;
    expect(await whyUnreachable({ url: `redis://:wrong@127.0.0.1:${port}` })).toContain(
      "refuses the user or the password",
    );
    expect(await whyUnreachable({ url: `redis://127.0.0.1:${port}` })).toContain(
      "requires a user and a password",
    );
    const empty = freePort();
    expect(await whyUnreachable({ url: `redis://127.0.0.1:${empty}` })).toContain("nothing listens there");
  });
});
