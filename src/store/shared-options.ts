// Options that many tasks of a batch share, such as those of a matrix, are stored once.
import type { Batch, EventBody } from "../model/event.ts";

/** An event as stored: options of several tasks stand in a list, and the tasks name their place in it. */
export function withSharedOptions(body: EventBody): EventBody {
  if (body.type !== "batch-created") return body;
  const { batch } = body;
  const uses = new Map<object, number>();
  for (const { options } of batch.tasks) if (options) uses.set(options, (uses.get(options) ?? 0) + 1);
  const shared = [...uses].flatMap(([options, count]) => (count > 1 ? [options] : []));
  if (shared.length === 0) return body;
  const places = new Map(shared.map((options, index) => [options, index]));
  const tasks = batch.tasks.map((task) => {
    const { options, ...rest } = task;
    const place = options && places.get(options);
    return place === undefined ? task : { ...rest, sharedOptions: place };
  });
  return { ...body, batch: { ...batch, tasks, sharedOptions: shared.map((options) => ({ ...options })) } };
}

/** The event as it was: each task with its options, which are one object for all that share them. */
export function withOwnOptions(body: EventBody): EventBody {
  if (body.type !== "batch-created" || !body.batch.sharedOptions) return body;
  const { sharedOptions, ...batch } = body.batch;
  const tasks = batch.tasks.map(({ sharedOptions: place, ...task }): Batch["tasks"][number] => {
    const options = place === undefined ? task.options : sharedOptions[place];
    return options ? { ...task, options } : task;
  });
  return { ...body, batch: { ...batch, tasks } };
}
