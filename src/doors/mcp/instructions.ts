// What a client says to its model about this server. Describes, and gives no orders.

/** The first words matter most: some clients show no more, and others search for tools by them. */
export const instructions = [
  "Runs many Claude Code sessions in parallel, one for each task: reviewing, changing, testing or researching many files, modules or questions at once.",
  "All tasks that do not need each other's results go in one spawn_parallel_claude_sessions call; separate calls take many times as long.",
  "Sessions see neither this conversation nor each other, so each task must contain everything the session needs to know. They can edit files only if permissionMode or allowedTools allow it.",
  "asyncMode is for ten tasks or more, or for tasks that take two minutes or more each: the call answers at once, and results go to files.",
  "An answer whose `state` is `running` is not final: the batch continues in the background, wait_for_batch waits for it, and read_batch_results reads the results so far.",
  "An answer whose `state` is `paused` has an estimate for the tasks that wait: ask the user before calling continue_batch.",
  "retry_batch resumes interrupted batches and reruns failed tasks, with other options if needed.",
].join(" ");
