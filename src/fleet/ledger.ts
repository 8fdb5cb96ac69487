// The run ledger: which worker runs which job, and how that ended. The queue's own locks say whether a worker is alive; the
// ledger says whether a paid session ran.
import type { Redis } from "ioredis";
import type { JobId } from "./queue-names.ts";

/** How long a result, a cancellation or a count is kept, in milliseconds: longer than a batch is watched. */
const keptMs = 7 * 86_400_000;
/** How long a result stays that its batch has, in milliseconds: until the disk has the batch's log, too. */
const takenMs = 10 * 60_000;
/** How long nobody runs such a job again, in milliseconds: longer than the queue knows it. */
const overMs = 86_400_000;

/** What a worker may do with a job. */
export type Claim =
  /** Its: run it. `starts` counts the runs, this one included. */
  | {
      kind: "run";
      starts: number;
      /** Runs whose workers have said neither how they ended nor what they cost. */
      lost: number;
      /** Runs that failed before their sessions began. */
      failures: number;
      /** The workers on which they failed. */
      failedOn: string[];
    }
  /** It has ended, and this is its result. */
  | { kind: "done"; result: string }
  /** Somebody cancelled it. */
  | { kind: "stopped" }
  /** Another worker runs it: ask again after this time, in milliseconds. */
  | { kind: "held"; forMs: number }
  /** Its last owner may only have been cut off, so it gets time to renew its lease: ask again after this time, in milliseconds. */
  | { kind: "grace"; forMs: number };

/** Whether a run goes on. "lost": another worker has it, or its result is there already. */
export type Renewal = "kept" | "lost" | "stopped";

export interface StoredEnd {
  /** The first result that was stored; undefined if there is none. */
  result: string | undefined;
  /** What runs have used beside this result: the run, and what its worker wrote. Empty if that was nothing. */
  spent: [runId: string, text: string][];
  /** Runs whose workers have not said how they ended, or what they cost. */
  lost: number;
  /** Whether a worker has it at present. */
  isHeld: boolean;
}

/** How a run ended that has no result. */
export interface Released {
  /** What it used, as text. */
  spent?: string | undefined;
  /** The worker on which it failed before its session began, if it did. */
  failedOn?: string | undefined;
}

export interface LedgerParts {
  redis: Redis;
  /** How long a lease lasts unless it is renewed, and how long its last owner has to renew one that ran out, in milliseconds. */
  leaseMs: number;
}

export class Ledger {
  readonly #redis: Redis;
  readonly #leaseMs: number;

  constructor({ redis, leaseMs }: LedgerParts) {
    this.#redis = redis;
    this.#leaseMs = leaseMs;
  }

  /** Asks to run a job. `runId`: differs for each run. */
  async claim(id: JobId, runId: string): Promise<Claim> {
    const answer: unknown = await this.#redis.eval(
      claimScript,
      5,
      ...keysOf(id, "lease", "done", "stop", "run", "spent"),
      runId,
      this.#leaseMs,
      keptMs,
    );
    const [kind, text, number, ended, failures, ...failedOn] = Array.isArray(answer)
      ? answer.map(String)
      : [];
    const forMs = Math.max(1, Number(number));
    switch (kind) {
      case "run":
        return {
          kind,
          starts: Number(number),
          lost: Math.max(0, Number(number) - 1 - Number(ended)),
          failures: Number(failures),
          failedOn,
        };
      case "done":
        return { kind, result: text ?? "" };
      case "stopped":
        return { kind };
      case "held":
      case "grace":
        return { kind, forMs };
      default:
        throw new Error(`Internal error: the ledger answered ${JSON.stringify(answer)}`);
    }
  }

  /** Keeps the lease of a run, or takes one that ran out again. */
  async renew(id: JobId, runId: string): Promise<Renewal> {
    const answer = await this.#redis.eval(
      renewScript,
      4,
      ...keysOf(id, "lease", "done", "stop", "run"),
      runId,
      this.#leaseMs,
    );
    if (answer === 1) return "kept";
    return answer === 2 ? "stopped" : "lost";
  }

  /** Stores the result of a run, unless there is one, and returns the one that counts. `hasBegun`: whether it was ever the owner. */
  async finish(id: JobId, runId: string, result: string, { hasBegun = true } = {}): Promise<string> {
    const kept = await this.#redis.eval(
      finishScript,
      4,
      ...keysOf(id, "lease", "done", "run", "spent"),
      runId,
      result,
      keptMs,
      hasBegun ? 1 : 0,
    );
    return String(kept);
  }

  /** Ends a run without a result, so that another worker can begin at once. A second call changes nothing. */
  async release(id: JobId, runId: string, { spent = "", failedOn = "" }: Released = {}): Promise<void> {
    await this.#redis.eval(
      releaseScript,
      3,
      ...keysOf(id, "lease", "run", "spent"),
      runId,
      spent,
      keptMs,
      failedOn,
    );
  }

  /** Cancels a job: the worker that has it ends it, and no other begins it. */
  async stop(id: JobId): Promise<void> {
    await this.#redis.set(keyOf(id, "stop"), "1", "PX", keptMs);
  }

  /** What is stored of a job that has ended. */
  async ended(id: JobId): Promise<StoredEnd> {
    const answer: unknown = await this.#redis.eval(
      endedScript,
      4,
      ...keysOf(id, "done", "spent", "lease", "run"),
    );
    const [result, leases, starts, ...fields] = Array.isArray(answer) ? answer : [];
    const spent: StoredEnd["spent"] = [];
    for (let index = 0; index < fields.length; index += 2)
      spent.push([String(fields[index]), String(fields[index + 1])]);
    const lost = Math.max(0, Number(starts) - spent.length);
    return { result: typeof result === "string" ? result : undefined, spent, lost, isHeld: leases === 1 };
  }

  /** Lets go of what is stored of a job, because its batch has it. Nobody runs the job again. */
  async forget(id: JobId): Promise<void> {
    await this.#redis.eval(forgetScript, 4, ...keysOf(id, "done", "run", "spent", "stop"), takenMs, overMs);
  }
}

type Part = "lease" | "done" | "stop" | "run" | "spent";

// In braces, so that all keys of a job are on one node of a cluster.
function keyOf(id: JobId, part: Part): string {
  return part === "lease" ? `led:{${id}}` : `led:{${id}}:${part}`;
}

function keysOf(id: JobId, ...parts: Part[]): string[] {
  return parts.map((part) => keyOf(id, part));
}

// `run` remembers the owner for longer than a lease: if it is there and the lease is not, the owner was killed, or cut off.
// By the server's clock, because the workers' may differ. The driver asks again after a broken connection: the same run counts once.
const claimScript = `
local done=redis.call('GET',KEYS[2]) if done then return {'done',done} end
if redis.call('EXISTS',KEYS[3])==1 then return {'stopped'} end
local owner=redis.call('GET',KEYS[1])
if owner and owner~=ARGV[1] then return {'held','',tostring(redis.call('PTTL',KEYS[1]))} end
local last=redis.call('HGET',KEYS[4],'owner')
if not owner and last and last~=ARGV[1] then
  local time=redis.call('TIME')
  local now=time[1]*1000+math.floor(time[2]/1000)
  local since=tonumber(redis.call('HGET',KEYS[4],'since') or now)
  redis.call('HSET',KEYS[4],'since',since)
  local left=tonumber(ARGV[2])-(now-since)
  if left>0 then return {'grace','',tostring(math.ceil(left))} end
end
redis.call('SET',KEYS[1],ARGV[1],'PX',ARGV[2])
redis.call('HDEL',KEYS[4],'since')
if last~=ARGV[1] then
  redis.call('HSET',KEYS[4],'owner',ARGV[1])
  redis.call('HINCRBY',KEYS[4],'starts',1)
end
redis.call('PEXPIRE',KEYS[4],ARGV[3])
local starts=redis.call('HGET',KEYS[4],'starts')
local answer={'run','',starts,tostring(redis.call('HLEN',KEYS[5])),redis.call('HGET',KEYS[4],'failures') or '0'}
for _,field in ipairs(redis.call('HKEYS',KEYS[4])) do
  if string.sub(field,1,7)=='failed:' then table.insert(answer,string.sub(field,8)) end
end
return answer`;

// In one step: a look and a write of its own would queue up during an outage, and then fight each other.
const renewScript = `
if redis.call('EXISTS',KEYS[2])==1 then return 0 end
if redis.call('EXISTS',KEYS[3])==1 then return 2 end
local v=redis.call('GET',KEYS[1])
if v==false or v==ARGV[1] then
  redis.call('SET',KEYS[1],ARGV[1],'PX',ARGV[2])
  redis.call('HDEL',KEYS[4],'since')
  return 1
end
return 0`;

// A stale run never deletes the lease of the next owner. Only a run that has begun says that it has ended.
const finishScript = `
if redis.call('SET',KEYS[2],ARGV[2],'NX','PX',ARGV[3]) and ARGV[4]=='1' then
  redis.call('HSETNX',KEYS[4],ARGV[1],'')
  redis.call('PEXPIRE',KEYS[4],ARGV[3])
end
if redis.call('GET',KEYS[1])==ARGV[1] then redis.call('DEL',KEYS[1]) end
if redis.call('HGET',KEYS[3],'owner')==ARGV[1] then redis.call('HDEL',KEYS[3],'owner') end
return redis.call('GET',KEYS[2])`;

// Of a run whose result is stored, although its worker has not heard so, nothing is spent beside that.
const releaseScript = `
if redis.call('GET',KEYS[1])==ARGV[1] then redis.call('DEL',KEYS[1]) end
if redis.call('HGET',KEYS[2],'owner')==ARGV[1] then
  redis.call('HDEL',KEYS[2],'owner')
  if ARGV[4]~='' then
    redis.call('HINCRBY',KEYS[2],'failures',1)
    redis.call('HSET',KEYS[2],'failed:'..ARGV[4],1)
  end
end
redis.call('HSETNX',KEYS[3],ARGV[1],ARGV[2])
redis.call('PEXPIRE',KEYS[3],ARGV[3])
return 1`;

// At one moment, and with one request.
const endedScript = `
local answer={redis.call('GET',KEYS[1]),redis.call('EXISTS',KEYS[3]),redis.call('HGET',KEYS[4],'starts') or '0'}
for _,text in ipairs(redis.call('HGETALL',KEYS[2])) do table.insert(answer,text) end
return answer`;

// What is cancelled is begun by nobody: also by a worker that was cut off for long, and comes back when the result is gone.
const forgetScript = `
for i=1,3 do redis.call('PEXPIRE',KEYS[i],ARGV[1],'LT') end
redis.call('SET',KEYS[4],'1','PX',ARGV[2])
return 1`;
