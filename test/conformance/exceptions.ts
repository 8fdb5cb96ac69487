// What of the conformance suite our server is excused from, and why. All other checks of these scenarios must succeed,
// and an exception that is not needed (any more) fails the run.
import type { Edition } from "./suite.ts";

interface Exception {
  edition: Edition;
  scenario: string;
  /** Those that are missed, or that the whole scenario is skipped. */
  checks: string[] | "skipped";
  reason: string;
}

const noSkills =
  "The skills extension is not offered: batches have nothing to teach. The suite skips what is not declared.";

export const exceptions: Exception[] = [
  {
    edition: "2025-11-25",
    scenario: "server-sse-polling",
    checks: ["server-sse-priming-event", "server-sse-retry-field"],
    reason:
      "Recommended, not required (both are warnings): streams to be taken up again by the id of an event. Nothing that a stream carries is kept for that. A batch is in the store, and whoever lost its answer asks `wait_for_batch`.",
  },
  {
    edition: "2026-07-28",
    scenario: "server-stateless",
    checks: [
      "sep-2575-server-sends-prompts-list-changed-on-subscription",
      "sep-2575-server-sends-tools-list-changed-on-subscription",
    ],
    reason:
      "Tools and prompts never change while a server runs, and the server says so (`listChanged: false`); the suite skips these.",
  },
  {
    edition: "extension",
    scenario: "tasks-status-notifications",
    checks: "skipped",
    reason:
      "The suite itself cannot check this yet and always skips it; its own note says that the harness waits for a rewrite. We send none: clients ask for tasks.",
  },
  { edition: "extension", scenario: "sep-2640-skills-directory", checks: "skipped", reason: noSkills },
  { edition: "extension", scenario: "sep-2640-skills-enumeration", checks: "skipped", reason: noSkills },
  { edition: "extension", scenario: "sep-2640-skills-manifest", checks: "skipped", reason: noSkills },
];
