// What a client tells its model about this server. It says what is, and gives no orders.

/** The first words count: some clients show no more, and others search for tools by them. */
export const instructions = [
  "Runs many Claude Code sessions in parallel, one for each task: reviewing, changing, testing or researching many files, modules or questions at once.",
  "All tasks that do not need each other's results belong into one spawn_parallel_claude_sessions call; one call after the other takes as many times as long.",
  "Sessions do not see this conversation or each other, so each task says all that it needs. They may edit only with permissionMode or allowedTools that let them.",
  "asyncMode is for ten tasks or more, or for tasks of two minutes or more each: the call answers at once, and results go to files.",
  "An answer whose `state` is `running` is not the end: the batch goes on by itself, wait_for_batch waits for it, and read_batch_results reads what has ended.",
  "retry_batch carries on what was interrupted, and runs again what failed.",
].join(" ");
