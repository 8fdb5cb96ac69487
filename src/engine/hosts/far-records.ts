// What a far keeper keeps of its sessions on disk, so that another one can go on after it was killed: a record, the
// transcript and the standard error of each, in a folder for each batch.
import { z } from "zod";
import { exists, makePrivateDirectory, readText } from "../../platform/files.ts";
import { foldersIn, footprintOf, namesIn, removeEmptyFolders } from "../../platform/folders.ts";
import { dirname, join } from "../../platform/paths.ts";
import { processIdentity } from "../../platform/process-identity.ts";
import { removePath } from "../../platform/removal.ts";
import { replaceFile } from "../../platform/whole-files.ts";

const recordEnd = ".json";
/** Beside the folders of batches: what working trees are made of. */
export const repositoriesFolder = "repositories";
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
  /** The id of its conversation. */
  conversation: z.string().optional(),
  /** Of its batch then. */
  leaseMs: z.number().optional(),
  isGoingElsewhere: z.boolean().optional(),
  /** Absent until its process was started: if its keeper was killed in between, the process ends by itself, unasked. */
  identity: processIdentity.optional(),
  /** Whether it has got its prompt. */
  isAsked: z.boolean().optional(),
  /** Whether it was ended because nobody had the lease, or because its runner had gone before its prompt. */
  isLapsed: z.boolean().optional(),
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

  /** Where everything of a batch is. */
  folderOf(batch: string): string {
    return join(this.#folder, batch);
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

  /** The batches of which anything is here. */
  batches(): string[] {
    return foldersIn(this.#folder).filter((name) => name !== repositoriesFolder);
  }

  /**
   * All that can be read. What never had a process is removed. What another version has written stays until somebody removes
   * it on purpose: it may be a result that was paid for.
   */
  all(): SessionRecord[] {
    return this.batches().flatMap((batch) => {
      const names = [...namesIn(join(this.#folder, batch))].filter((name) => name.endsWith(recordEnd));
      return names.flatMap((name) => this.#read(batch, name.slice(0, -recordEnd.length)) ?? []);
    });
  }

  async keep(record: SessionRecord): Promise<void> {
    const path = this.#recordOf(record);
    makePrivateDirectory(dirname(path));
    await replaceFile(path, JSON.stringify(record), { mode: 0o600 });
  }

  /** Removes everything of a session. The files of its batch stay for the next one. */
  forget(session: Pick<SessionRecord, "batch" | "id">): void {
    for (const path of [this.#recordOf(session), this.transcriptOf(session), this.stderrOf(session)])
      removePath(path);
  }

  /** Removes everything of a batch. Returns how many sessions there were, and how many bytes. */
  forgetAll(batch: string): { sessions: number; bytes: number } {
    const folder = join(this.#folder, batch);
    const sessions = [...namesIn(folder)].filter((name) => name.endsWith(recordEnd)).length;
    const { bytes } = footprintOf(folder);
    removePath(folder);
    return { sessions, bytes };
  }

  /** Removes the files of a batch that has no session here, and its folder if nothing else is in it. */
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
    let text: string;
    try {
      text = readText(this.#recordOf({ batch, id }));
    } catch {
      // A disk that does not answer now may do so for the next keeper.
      return undefined;
    }
    const record = recordIn(text);
    if (record === undefined) return undefined;
    if (record.identity && exists(this.transcriptOf(record))) return record;
    this.forget({ batch, id });
    return undefined;
  }
}

function recordIn(text: string): SessionRecord | undefined {
  try {
    return sessionRecord.parse(JSON.parse(text));
  } catch {
    // Of another version: this one cannot go on with it.
    return undefined;
  }
}
