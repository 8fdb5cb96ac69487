// A batch on a fleet in the foreground of a process, which a test watches and signals.
import { writeFileSync } from "node:fs";
import { type Home, program } from "../harness.ts";

/** What `run --json` prints, as far as tests look at it. */
export interface FleetAnswer {
  results: {
    taskIndex: number;
    status: string;
    result?: string;
    error?: string;
    outcome: string;
    host?: string;
    costUsd?: number;
    remarks?: string[];
  }[];
  totalCostUsd: number;
}

export class OwnBatch {
  readonly #child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #out: Promise<string>;
  readonly #err: Promise<string>;

  constructor(home: Home, tasks: readonly unknown[], more: readonly string[] = []) {
    const file = home.file("tasks.json");
    writeFileSync(file, JSON.stringify(tasks));
    this.#child = Bun.spawn([...program(), "run", "--fleet", "team", "-f", file, "--json", ...more], {
      cwd: home.work,
      env: home.environment,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    this.#out = this.#child.stdout.text();
    this.#err = this.#child.stderr.text();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Its answer, once it has ended. */
  async answer(): Promise<FleetAnswer> {
    const [out, err] = await Promise.all([this.#out, this.#err]);
    if (out === "") throw new Error(`It printed nothing, but: ${err}`);
    return JSON.parse(out);
  }
}
