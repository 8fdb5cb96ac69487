// What we use of BullMQ, out of its own files. Its index also loads what it has for PostgreSQL, which the bundler cannot leave out: the
// executable would be 0.8 MB larger.
export { DelayedError } from "bullmq/dist/esm/classes/errors/delayed-error.js";
export { RateLimitError } from "bullmq/dist/esm/classes/errors/rate-limit-error.js";
export { UnrecoverableError } from "bullmq/dist/esm/classes/errors/unrecoverable-error.js";
export { WaitingError } from "bullmq/dist/esm/classes/errors/waiting-error.js";
export { Queue } from "bullmq/dist/esm/classes/queue.js";
export { QueueEvents } from "bullmq/dist/esm/classes/queue-events.js";
export { QueueEventsProducer } from "bullmq/dist/esm/classes/queue-events-producer.js";
export { Worker } from "bullmq/dist/esm/classes/worker.js";
