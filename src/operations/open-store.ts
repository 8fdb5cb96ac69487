// What opening the store always does.
import { resumeBatches } from "../engine/runner/resume-batches.ts";
import { patiently } from "../store/patiently.ts";
import { accountOf } from "./account.ts";
import { type Context, isStoreThere } from "./context.ts";

/**
 * Every door calls this before it reads or changes the store: resumes batches that lost their processes. It belongs to
 * the store, like a database's recovery after a crash, and to no operation: it continues what earlier calls requested,
 * the same before every operation, and no answer or input depends on it. So a reading operation only reads.
 */
export async function openStore(context: Context): Promise<void> {
  // A missing store has lost nothing, and bad input must not create one.
  if (!isStoreThere(context)) return;
  const store = await patiently(() => context.store);
  await resumeBatches(store, accountOf(process.env, store.salt()));
}
