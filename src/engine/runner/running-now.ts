// What runs for the tasks of a batch at this moment, found by task, by transcript and by marker.
import { basename } from "../../platform/paths.ts";
import type { Running } from "../attempt/running.ts";

/** Under what it is found. */
export interface Found {
  number: number;
  /** The path of its transcript, which a watch reports. */
  transcript?: string;
  /** The marker in the environment of its processes, if it can be evicted. */
  marker?: string;
}

export class RunningNow {
  readonly #byTask = new Map<number, Running>();
  readonly #byTranscript = new Map<string, Running>();
  readonly #byMarker = new Map<string, Running>();

  /** By task number: its session, or what checks its answer. */
  get byTask(): ReadonlyMap<number, Running> {
    return this.#byTask;
  }

  withTranscript(name: string): Running | undefined {
    return this.#byTranscript.get(name);
  }

  withMarker(marker: string): Running | undefined {
    return this.#byMarker.get(marker);
  }

  /** It runs until it is disposed of. */
  add(running: Running, { number, transcript, marker }: Found): Disposable {
    const name = transcript === undefined ? undefined : basename(transcript);
    this.#byTask.set(number, running);
    if (name !== undefined) this.#byTranscript.set(name, running);
    if (marker !== undefined) this.#byMarker.set(marker, running);
    return {
      [Symbol.dispose]: () => {
        this.#byTask.delete(number);
        if (name !== undefined) this.#byTranscript.delete(name);
        if (marker !== undefined) this.#byMarker.delete(marker);
      },
    };
  }
}
