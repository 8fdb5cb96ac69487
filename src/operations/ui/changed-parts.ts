// What has changed since a reader last heard of it: each text with the version in which it became what it is.

/** A place in the history of a watch: "k3j2-17". A reader with the mark of another watch gets everything. */
export type Mark = string;

export class ChangedParts<Key> {
  readonly #parts = new Map<Key, { text: string; since: number }>();

  /** Takes the texts as they are in a version. Returns whether one is another than before. */
  take(version: number, texts: Iterable<readonly [Key, string]>): boolean {
    let isChanged = false;
    for (const [key, text] of texts) {
      if (this.#parts.get(key)?.text === text) continue;
      this.#parts.set(key, { text, since: version });
      isChanged = true;
    }
    return isChanged;
  }

  /** Forgets all others: one that comes back later is new. */
  keepOnly(keys: { has(key: Key): boolean }): void {
    for (const key of this.#parts.keys()) if (!keys.has(key)) this.#parts.delete(key);
  }

  /** Those that are newer than a version, in the order in which they first came. */
  since(version: number): [Key, string][] {
    return [...this.#parts].flatMap(([key, { text, since }]): [Key, string][] =>
      since > version ? [[key, text]] : [],
    );
  }
}

/** The marks of one watch, which has a name of its own. */
export class Marks {
  readonly #watch = crypto.randomUUID().slice(0, 8);

  of(version: number): Mark {
    return `${this.#watch}-${version}`;
  }

  /** The version of a mark; of another watch's, the one before all. */
  versionOf(mark: Mark): number {
    const [watch, version] = mark.split("-");
    return watch === this.#watch && /^\d{1,15}$/.test(version ?? "") ? Number(version) : -1;
  }
}
