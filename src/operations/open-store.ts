// What opening the store does, whatever is asked of it afterwards.
import { carryOn } from "../engine/runner/carry-on.ts";
import { patiently } from "../store/patiently.ts";
import { accountOf } from "./account.ts";
import { type Context, isStoreThere } from "./context.ts";

/**
 * Every door does this before it looks into the store or changes it: what lost its processes is carried on. That
 * belongs to the store, as recovery after a crash does to a database, and to no operation: it is what an earlier
 * call had asked for, the same whichever operation comes next, and none whose answer or input decides about it.
 * So an operation that only reads is one that only reads.
 */
export async function openStore(context: Context): Promise<void> {
  // A store that is not there has lost nothing, and bad input must not make one.
  if (!isStoreThere(context)) return;
  const store = await patiently(() => context.store);
  await carryOn(store, accountOf(process.env, store.salt()));
}
