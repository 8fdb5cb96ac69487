// What a client tells its model about this server.

/** The first words count: some clients show no more. */
export const instructions =
  "Runs headless Claude Code sessions in parallel. Give all independent tasks to one spawn_parallel_claude_sessions call. Use asyncMode for ten tasks or more, or when each takes minutes. When an answer's state is `running`, the batch goes on by itself: ask with wait_for_batch, and read what has ended with read_batch_results. What failed or was interrupted is run again with retry_batch.";
