// Whether a far machine is out of service: then it takes no more tasks of anybody, until that is taken back. A file, because the
// keeper leaves when there is nothing to do.
import { z } from "zod";
import { kindAt, readText } from "../../platform/files.ts";
import { join } from "../../platform/paths.ts";
import { removePath } from "../../platform/removal.ts";
import { replaceFile } from "../../platform/whole-files.ts";

const drain = z.object({
  /** When running sessions are handed back, in milliseconds since 1970; absent: they end by themselves. */
  handBackAt: z.number().optional(),
});
type Drain = z.infer<typeof drain>;

const fileName = "drained";

export class FarDrain {
  readonly #path: string;
  #drain: Drain | undefined;

  /** `folder`: of far sessions. Absolute. */
  constructor(folder: string) {
    this.#path = join(folder, fileName);
    this.#drain = readDrain(this.#path);
  }

  /** Why no task may start, in words for people; undefined if it may. */
  get whyWait(): string | undefined {
    return this.#drain && "it is out of service, until `host resume`";
  }

  /**
   * Whether a session goes elsewhere now. `startedAt`: in milliseconds since 1970. What starts later is a check that a task needs
   * to end: ended again and again, it would cost money each time, and fail the task.
   */
  handsBack({ startedAt }: { startedAt: number }): boolean {
    const at = this.#drain?.handBackAt ?? Number.POSITIVE_INFINITY;
    return startedAt <= at && at <= Date.now();
  }

  /** Takes it out of service. `handBackSeconds`: after these, running sessions are handed back. */
  async begin(handBackSeconds: number | undefined): Promise<void> {
    const own = handBackSeconds === undefined ? {} : { handBackAt: Date.now() + handBackSeconds * 1_000 };
    await replaceFile(this.#path, JSON.stringify(own), { mode: 0o600 });
    this.#drain = own;
  }

  /** Puts it into service again. */
  end(): void {
    removePath(this.#path);
    this.#drain = undefined;
  }
}

function readDrain(path: string): Drain | undefined {
  if (kindAt(path) !== "file") return undefined;
  try {
    return drain.parse(JSON.parse(readText(path)));
  } catch {
    // Another version has written it: what is certain is that no tasks are wanted.
    return {};
  }
}
