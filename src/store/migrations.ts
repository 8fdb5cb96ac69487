// The schema, step by step. A released step is never changed.

/** Step n leads from schema version n to n + 1. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE batches (
    batch_id TEXT PRIMARY KEY,
    name TEXT,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    ended_at INTEGER,
    cancelled_by TEXT,
    -- The runner's turn. Raised by compare-and-swap; an append with an older one fails.
    epoch INTEGER NOT NULL DEFAULT 0,
    -- When the runner last said that it lives, in milliseconds since 1970.
    alive_at INTEGER NOT NULL DEFAULT 0,
    runner TEXT,
    keeper TEXT,
    account TEXT NOT NULL,
    output_directory TEXT NOT NULL,
    queued INTEGER NOT NULL,
    running INTEGER NOT NULL,
    succeeded INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    cancelled INTEGER NOT NULL,
    cost_usd REAL NOT NULL,
    cost_at_least INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX batches_by_time ON batches (created_at);
  CREATE INDEX batches_by_directory ON batches (output_directory, created_at);

  CREATE TABLE events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    batch_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX events_by_batch ON events (batch_id, sequence);

  -- What running tasks are doing. Not part of the log: overwritten, and dropped at the task's end.
  CREATE TABLE progress (
    batch_id TEXT NOT NULL,
    task INTEGER NOT NULL,
    activity TEXT NOT NULL,
    PRIMARY KEY (batch_id, task)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  INSERT INTO facts VALUES ('salt', lower(hex(randomblob(32))));
  `,
  `
  -- Who has the right to run a session: a row for each, with the identity of the runner that holds it.
  CREATE TABLE slots (
    slot_id INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    batch_id TEXT NOT NULL,
    holder TEXT NOT NULL
  ) STRICT;
  CREATE INDEX slots_by_account ON slots (account, batch_id);

  -- Why a batch starts no sessions for the moment, in words for people.
  ALTER TABLE batches ADD COLUMN held_because TEXT;

  -- Which runners wait for one.
  CREATE TABLE slot_waiters (
    batch_id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    holder TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Slots of several pools: the sessions of an account, and the starts of the machine. The tables of the step before
  -- stay as they are, for runners of that version which still run.
  CREATE TABLE pool_slots (
    slot_id INTEGER PRIMARY KEY,
    pool TEXT NOT NULL,
    batch_id TEXT NOT NULL,
    holder TEXT NOT NULL,
    claimed_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX slots_by_pool ON pool_slots (pool, batch_id);
  CREATE TABLE pool_waiters (
    batch_id TEXT NOT NULL,
    pool TEXT NOT NULL,
    holder TEXT NOT NULL,
    PRIMARY KEY (pool, batch_id)
  ) STRICT, WITHOUT ROWID;

  -- Until when, in milliseconds since 1970, a held batch starts no sessions.
  ALTER TABLE batches ADD COLUMN held_until INTEGER;

  -- Pauses on new sessions of an account, for one model or for all ('').
  CREATE TABLE holds (
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    model TEXT NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    because TEXT NOT NULL,
    -- How often a session has tried in vain whether it is over.
    tries INTEGER NOT NULL,
    -- The process whose session tries it at the moment, and since when.
    prober TEXT,
    probed_at INTEGER NOT NULL,
    PRIMARY KEY (account, kind, model)
  ) STRICT, WITHOUT ROWID;

  -- How many sessions at once an account has turned out to carry.
  CREATE TABLE paces (account TEXT PRIMARY KEY, pace TEXT NOT NULL) STRICT, WITHOUT ROWID;

  -- How much memory sessions of one configuration have turned out to take.
  CREATE TABLE footprints (
    configuration TEXT PRIMARY KEY,
    bytes INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- What the sessions of each runner take at the moment, and what they may come to take.
  CREATE TABLE loads (
    batch_id TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    sessions INTEGER NOT NULL,
    used_bytes INTEGER NOT NULL,
    expected_bytes INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- When each waiter last asked, in milliseconds since 1970. Beside the table of the waiters, and not in it: runners of
  -- the version before insert rows there without naming columns.
  CREATE TABLE pool_asks (
    pool TEXT NOT NULL,
    batch_id TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    PRIMARY KEY (pool, batch_id)
  ) STRICT, WITHOUT ROWID;

  -- When the API last answered a session of an account: its login works.
  CREATE TABLE login_proofs (account TEXT PRIMARY KEY, proven_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  `,
  `
  -- Digests of the beginnings of requests that the cache of the API has, in milliseconds since 1970, or that the leader, a
  -- batch, has it get now.
  CREATE TABLE prefixes (
    account TEXT NOT NULL,
    prefix TEXT NOT NULL,
    leader TEXT,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (account, prefix)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- What removed batches cost, for each quarter of an hour and model.
  CREATE TABLE spent (
    batch_id TEXT NOT NULL,
    -- The beginning of the quarter, in milliseconds since 1970.
    quarter INTEGER NOT NULL,
    -- '' for costs that no model was named for.
    model TEXT NOT NULL,
    usd REAL NOT NULL,
    at_least INTEGER NOT NULL,
    sessions INTEGER NOT NULL,
    input INTEGER NOT NULL,
    output INTEGER NOT NULL,
    cache_read INTEGER NOT NULL,
    cache_written INTEGER NOT NULL,
    name TEXT,
    directory TEXT NOT NULL,
    client TEXT,
    PRIMARY KEY (quarter, batch_id, model)
  ) STRICT, WITHOUT ROWID;
  `,
];
