// The points in what a process writes into the store.
import type { EventBody } from "../../src/model/event.ts";
import { BatchLog } from "../../src/store/batch-log.ts";
import { RememberedAnswers } from "../../src/store/remembered.ts";
import { Store } from "../../src/store/store.ts";
import { at } from "./points.ts";

// Points of the log: `before TYPE`, inside of the transaction, and `after TYPE`; for what concerns a task, also with its number, and
// with that of the attempt.
function atEvents(when: "before" | "after", events: readonly EventBody[]): void {
  for (const event of events) {
    at(`${when} ${event.type}`);
    if ("task" in event) at(`${when} ${event.type} ${event.task}`);
    if ("attempt" in event) at(`${when} ${event.type} ${event.task}.${event.attempt}`);
  }
}

const { append, takeOver } = BatchLog.prototype;
BatchLog.prototype.append = function (this: BatchLog, decide, epoch) {
  const decided: typeof decide = (state) => {
    const events = decide(state);
    atEvents("before", events);
    return events;
  };
  const events = append.call(this, decided, epoch);
  atEvents("after", events);
  return events;
};
BatchLog.prototype.takeOver = function (this: BatchLog, identity) {
  const epoch = takeOver.call(this, identity);
  at(`after runner ${epoch}`);
  return epoch;
};

const { create, claimKeeper } = Store.prototype;
Store.prototype.create = function (this: Store, body, now) {
  at("before batch-created");
  const log = create.call(this, body, now);
  at("after batch-created");
  return log;
};
Store.prototype.claimKeeper = function (this: Store, batchId, keeper) {
  const isOurs = claimKeeper.call(this, batchId, keeper);
  at("after keeper");
  return isOurs;
};

const { answersTo, add, used } = RememberedAnswers.prototype;
RememberedAnswers.prototype.answersTo = function (this: RememberedAnswers, key, usedSince) {
  // While an answer is added, its transcript has its second name, and its row is not there yet.
  at(usedSince === 0 ? "between transcript and row of an answer" : "in a look-up");
  return answersTo.call(this, key, usedSince);
};
RememberedAnswers.prototype.add = function (this: RememberedAnswers, ...answer) {
  at("before an answer is remembered");
  const isKept = add.apply(this, answer);
  at("after an answer is remembered");
  return isKept;
};
RememberedAnswers.prototype.used = function (this: RememberedAnswers, ids, now) {
  at("before use is noted");
  used.call(this, ids, now);
};
