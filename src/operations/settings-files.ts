// Session settings passed on as private files: no file of the caller's is read again at a start, none is too long for an
// argument, and no value shows on a command line or in the log.
import { settingsArgument } from "../claude/settings.ts";
import type { BatchId } from "../model/batch-id.ts";
import { digestOf, type PrivateFile } from "../platform/private-files.ts";
import type { Layout } from "../store/layout.ts";
import type { Places } from "./places.ts";
import type { RawOptions } from "./raw-options.ts";
import { mostArgumentBytes } from "./text-faults.ts";

/** The files of one batch. The same settings make one file. */
export class SettingsFiles {
  readonly #files = new Map<string, string>();
  readonly #layout: Layout;
  readonly #batchId: BatchId;
  readonly #places: Places;

  constructor(layout: Layout, batchId: BatchId, places: Places) {
    this.#layout = layout;
    this.#batchId = batchId;
    this.#places = places;
  }

  /** The options as stored: settings in a file are replaced by its path. */
  stored(options: RawOptions): RawOptions {
    const { settings } = options;
    if (typeof settings !== "object" || settings === null) return options;
    const text = settingsArgument({ settings: { ...settings } });
    // Values in a file may be secrets.
    if (this.#places.fileOf(settings) === undefined && Buffer.byteLength(text) <= mostArgumentBytes)
      return options;
    const path = this.#layout.settings(this.#batchId, digestOf(text));
    this.#files.set(path, text);
    return { ...options, settings: path };
  }

  /** For `writePrivateFiles`. */
  all(): PrivateFile[] {
    return [...this.#files].map(([path, text]) => ({ path, text }));
  }
}
