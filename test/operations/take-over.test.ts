// Who starts the processes of a batch that is asked for again by several at once.
import { expect, test } from "bun:test";
import { announced } from "../../src/operations/take-over.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import { Inside } from "../inside.ts";

/** A batch that has ended, and its row as a command has read it before another one announced that it starts processes. */
function announcedByAnother(inside: Inside) {
  const context = inside.context();
  const { batchId } = inside.batch(context).answer(1, "yes").finish().log;
  const row = context.store.row(batchId);
  if (!row) throw new Error("The batch has no row");
  expect(context.store.announce(row)).toBe(true);
  return { context, row, batchId };
}

test("a batch that one process has announced and another one asks for is started by that", async () => {
  using inside = new Inside();
  const { context, row } = announcedByAnother(inside);
  const own = await announced(context, row);
  // As `takeOver` does it.
  expect(context.store.announce(own)).toBe(true);
});

test("a batch that has a keeper by then is started by nobody else", async () => {
  using inside = new Inside();
  const { context, row, batchId } = announcedByAnother(inside);
  expect(context.store.claimKeeper(batchId, ownIdentity())).toBe(true);
  const own = await announced(context, row);
  expect(context.store.announce(own)).toBe(false);
});
