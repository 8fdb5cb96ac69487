// How fast a fleet notices that a worker is gone.

/** In milliseconds. */
export interface FleetTiming {
  /** How long the queue waits for a sign of life of a worker before it gives a job to another one. */
  lockMs: number;
  lockRenewMs: number;
  /** How often the queue is searched for jobs of workers that have gone. */
  stalledMs: number;
  /** How long a run stays a worker's own without a sign of life; and how long it then has to come back. */
  leaseMs: number;
  leaseRenewMs: number;
}

/** A lost worker is replaced in about three minutes; a cut of two changes nothing. */
const usual: FleetTiming = {
  lockMs: 60_000,
  lockRenewMs: 15_000,
  stalledMs: 30_000,
  leaseMs: 60_000,
  leaseRenewMs: 15_000,
};

/** Lets tests see in seconds what takes minutes. */
const leaseVariable = "FLEET_LEASE_MS";

/** Of this process. The variable sets the lease, and everything else in proportion. */
export function fleetTiming(given = process.env[leaseVariable]): FleetTiming {
  const leaseMs = Number(given);
  if (!(leaseMs >= 1_000)) return usual;
  return {
    lockMs: leaseMs,
    lockRenewMs: leaseMs / 4,
    stalledMs: leaseMs / 2,
    leaseMs,
    leaseRenewMs: leaseMs / 4,
  };
}
