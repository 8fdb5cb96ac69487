// What a far keeper keeps of its sessions on disk, so that another one can go on after it was killed: a record, the
// transcript and the standard error of each, in a folder for each batch.
import { z } from "zod";
import { exists, makePrivateDirectory, readText } from "../../platform/files.ts";
import { foldersIn, namesIn, removeEmptyFolders } from "../../platform/folders.ts";
import { dirname, join } from "../../platform/paths.ts";
import { processIdentity } from "../../platform/process-identity.ts";
import { removePath } from "../../platform/removal.ts";
import { replaceFile } from "../../platform/whole-files.ts";

const recordEnd = ".json";
/** Files for the sessions of a batch. */
const filesFolder = "files";

const sessionRecord = z.object({
  /** The name of its start. */
  id: z.string(),
  batch: z.string(),
  /** Of the runner that started it. */
  epoch: z.int(),
  marker: z.string(),
  footprintKey: z.string(),
  directory: z.string(),
  /** In milliseconds since 1970. */
  startedAt: z.number(),
  /** How long it may run while nobody has the lease, in milliseconds. */
  mostMs: z.number(),
  /** Absent until its process was started: if its keeper was killed in between, the process ends by itself, unasked. */
  identity: processIdentity.optional(),
  /** Whether it has got its prompt. */
  isAsked: z.boolean().optional(),
  /** Set once its process has gone. */
  exit: z.object({ code: z.int().exactOptional(), signal: z.string().exactOptional() }).optional(),
  /** Set once it was swept: what it had left behind. */
  leaked: z.array(processIdentity).optional(),
});
export type SessionRecord = z.infer<typeof sessionRecord>;

export class FarRecords {
  readonly #folder: string;

  /** `folder`: the absolute path of the folder of far sessions. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Where the files for a batch's sessions are. */
  filesOf(batch: string): string {
    return join(this.#folder, batch, filesFolder);
  }

  transcriptOf({ batch, id }: Pick<SessionRecord, "batch" | "id">): string {
    return join(this.#folder, batch, `${id}.ndjson`);
  }

  stderrOf({ batch, id }: Pick<SessionRecord, "batch" | "id">): string {
    return join(this.#folder, batch, `${id}.stderr.txt`);
  }

  /** All that can be read. What is half of something was left by a keeper that was killed, and is removed. */
  all(): SessionRecord[] {
    return foldersIn(this.#folder).flatMap((batch) => {
      const names = [...namesIn(join(this.#folder, batch))].filter((name) => name.endsWith(recordEnd));
      return names.flatMap((name) => this.#read(batch, name.slice(0, -recordEnd.length)) ?? []);
    });
  }

  async keep(record: SessionRecord): Promise<void> {
    const path = this.#recordOf(record);
    makePrivateDirectory(dirname(path));
    await replaceFile(path, JSON.stringify(record), { mode: 0o600 });
  }

  /** Removes everything of a session, and the folder of its batch with its files after the last one. */
  forget(session: Pick<SessionRecord, "batch" | "id">): void {
    for (const path of [this.#recordOf(session), this.transcriptOf(session), this.stderrOf(session)])
      removePath(path);
    this.tidy(session.batch);
  }

  /** Removes the files of a batch that has no session here. */
  tidy(batch: string): void {
    const folder = join(this.#folder, batch);
    if ([...namesIn(folder)].some((name) => name.endsWith(recordEnd))) return;
    removePath(join(folder, filesFolder));
    removeEmptyFolders(folder, this.#folder);
  }

  #recordOf({ batch, id }: Pick<SessionRecord, "batch" | "id">): string {
    return join(this.#folder, batch, `${id}${recordEnd}`);
  }

  #read(batch: string, id: string): SessionRecord | undefined {
    try {
      const record = sessionRecord.parse(JSON.parse(readText(this.#recordOf({ batch, id }))));
      if (record.identity && exists(this.transcriptOf(record))) return record;
    } catch {
      // Half a file, or one of another version: nobody can go on with it.
    }
    this.forget({ batch, id });
    return undefined;
  }
}
