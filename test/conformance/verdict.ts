// What has to be said against a scenario: nothing when it passed, or missed just what it is excused from.
import type { exceptions } from "./exceptions.ts";
import type { Check } from "./suite.ts";

type Excused = Pick<(typeof exceptions)[number], "checks">;

/** Made of whatever messages there were, in scenarios that test something and in those that are skipped. */
const ofEveryMessage = "wire-schema-valid";

export function complaints(checks: Check[], excused: Excused[]): string[] {
  // The suite ends well where it has skipped a scenario.
  if (checks.length === 0) return ["no check was run"];
  const succeeded = checks.some(({ id, status }) => status === "SUCCESS" && id !== ofEveryMessage);
  const missed = checks.filter(({ status }) => status !== "SUCCESS" && status !== "INFO");
  if (excused.some((one) => one.checks === "skipped")) {
    return [
      ...(succeeded ? ["something succeeds: the exception has to go"] : []),
      ...missed.filter(({ status }) => status !== "SKIPPED").map(missing),
    ];
  }
  const ids = excused.flatMap((one) => one.checks);
  return [
    ...(succeeded || excused.length > 0 ? [] : ["no check succeeded"]),
    ...missed.filter(({ id }) => !ids.includes(id)).map(missing),
    ...ids
      .filter((id) => !missed.some((check) => check.id === id))
      .map((id) => `${id} was not missed: its exception has to go`),
  ];
}

function missing({ id, status, errorMessage, description }: Check): string {
  return `${id}: ${status}: ${errorMessage ?? description}`;
}
