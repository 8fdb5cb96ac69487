// Runs a batch on a disk that twice does not take the first line of its runner. Prints how often that was tried.
import { spyOn } from "bun:test";
import { runBatch } from "../../src/engine/runner/runner.ts";
import { log, store } from "./printed-batch.ts";

let tries = 0;
const query = store.database.query.bind(store.database);
spyOn(store.database, "query").mockImplementation((sql: string) => {
  if (sql.startsWith("UPDATE batches SET runner") && tries++ < 2)
    throw Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" });
  return query(sql);
});
const hasRun = await runBatch(store, log);
console.log(JSON.stringify({ hasRun, tries }));
