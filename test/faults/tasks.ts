// What the sessions of a round do, and what must become of each, whatever happens to them meanwhile.
import type { Random } from "./random.ts";

/** What a session says that waits for a command: no answer yet. */
export const interimText = "It is at work.";

export interface Work {
  prompt: string;
  /** What its answer must contain; of a task that fails for good: nothing. */
  answer?: string;
  /** How it must end. */
  outcome: string;
}

/** One task, drawn. `number` is 1-based, and stands in the answer. */
export function workOf(number: number, random: Random): Work {
  const answer = `answer of task ${number}.`;
  const said = `[[answer text="${answer}"]]`;
  const pause = `[[sleep ms=${random.between(0, 1_000)}]]`;
  const good = (prompt: string): Work => ({ prompt, answer, outcome: "succeeded" });
  const bad = (prompt: string, reason: string): Work => ({ prompt, outcome: `failed: ${reason}` });
  const child = `[[grandchild ${random.chance(0.5) ? "double-fork " : ""}${random.chance(0.7) ? "survive-after-result survive-interrupt" : ""}]]`;
  return random.weighted([
    [20, good(said)],
    [20, good(`${pause} ${said}`)],
    [
      15,
      good(
        `[[stream parts=${random.between(2, 8)} every=${random.between(5, 150)} text="half way"]] ${said}`,
      ),
    ],
    [15, good(`${child} ${pause} ${said}`)],
    [5, good(`[[tool name=Bash input="make" ms=${random.between(10, 500)}]] ${said}`)],
    [5, good(`${said} [[linger ms=${random.between(50, 800)}]]`)],
    [5, good(`${said} [[good-result-bad-exit code=1]]`)],
    [4, good(`[[background-task text="${interimText}" then="${answer}" ms=${random.between(10, 300)}]]`)],
    // Long enough that its line in a file can be torn by a kill.
    [3, { prompt: `[[big-result bytes=${random.between(20_000, 400_000)}]]`, outcome: "succeeded" }],
    [4, bad("[[max-turns turns=2]]", "max-turns")],
    [2, bad(`${pause} [[max-turns turns=2]]`, "max-turns")],
    [2, bad(`${pause} [[refusal]]`, "refusal")],
    [2, bad("[[error status=400]]", "request")],
  ]);
}
