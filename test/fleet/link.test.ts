// The connection of a batch to its fleet: nothing of it stays when the batch has ended.
import { expect, test } from "bun:test";
import { FleetLink } from "../../src/engine/runner/fleet-link.ts";
import { fleetSettings } from "../../src/model/fleet.ts";
import { describeNeeding } from "../facilities.ts";
import { OwnFleet } from "./own-fleet.ts";

describeNeeding("redis")("the connection of a batch to its fleet", () => {
  test("is closed whole, even if it was only about to be there", async () => {
    await using fleet = await OwnFleet.create();
    const { connection } = fleet.redis;
    const closing = Promise.withResolvers<void>();
    let isClosing = false;
    const settings = fleetSettings.parse(fleet.settings());
    const link: FleetLink = new FleetLink({ name: "team", settings }, () => {
      // Once, in the middle of its opening.
      if (!isClosing) closing.resolve(link[Symbol.asyncDispose]());
      isClosing = true;
    });
    const opening = link.queue().catch(() => undefined);
    await closing.promise;
    await opening;
    const clients = async () =>
      String(await connection.client("LIST"))
        .trim()
        .split("\n");
    while ((await clients()).length > 1) await Bun.sleep(20);
    expect(await clients()).toHaveLength(1);
  }, 120_000);
});
