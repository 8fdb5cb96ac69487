// What pages follow. One reader of the store for all pages that show the same: it looks when somebody has written, at most
// once in a while, and sends what has changed. While nobody follows, it sleeps, and costs nothing.
import { Pace } from "../../platform/clock.ts";
import type { Store } from "../../store/store.ts";
import { Marks } from "./changed-parts.ts";

/** A change, as it is sent: the mark of what a page then shows, and the data. */
export interface Sent {
  mark: string;
  data: string;
}

/** What a watch shows. */
export interface Shown {
  /** Reads what is new. Returns whether anything on the page is another than in the version before. */
  look(version: number): boolean;
  /** What has changed since a version. */
  changeSince(version: number): unknown;
  /** Whether times on it pass, although nobody writes. */
  readonly hasClock: boolean;
  /** The least time between two looks, in milliseconds. */
  readonly betweenMs: number;
}

/** Who follows. */
export interface Follower {
  hear(sent: Sent): void;
  /** Nothing more comes: what was followed cannot be read any more. */
  gone(): void;
}

interface Watched extends Pick<Store, "isInPlace"> {
  readonly changes: Pick<Store["changes"], "subscribe">;
}

export class Watch implements Disposable {
  readonly #store: Watched;
  readonly #shown: Shown;
  readonly #marks = new Marks();
  readonly #followers = new Set<Follower>();
  readonly #pace = new Pace(() => this.#ticked());
  #changes: Disposable | undefined;
  #version = 0;
  /** The version that everybody who follows has. One who came later may have a newer one. */
  #told = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** Set while a look waits for its time. */
  #later: Timer | undefined;

  constructor(store: Watched, shown: Shown) {
    this.#store = store;
    this.#shown = shown;
    shown.look(0);
  }

  /** Looks now, and gives the mark of what a page shows that is made at once. */
  newest(): string {
    this.#lookForOne();
    return this.#marks.of(this.#version);
  }

  get isFollowed(): boolean {
    return this.#followers.size > 0;
  }

  /** Sends what has changed since a mark, at once, and then each change, until disposed of. */
  follow(mark: string, follower: Follower): Disposable {
    this.#lookForOne();
    if (!this.isFollowed) this.#wake();
    this.#followers.add(follower);
    follower.hear(this.#sentSince(this.#marks.versionOf(mark)));
    return {
      [Symbol.dispose]: () => {
        if (this.#followers.delete(follower) && !this.isFollowed) this.#sleep();
      },
    };
  }

  /** Sends nothing more, and says so to all who follow. */
  [Symbol.dispose](): void {
    const followers = [...this.#followers];
    this.#followers.clear();
    this.#sleep();
    for (const follower of followers) follower.gone();
  }

  #wake(): void {
    this.#told = this.#version;
    this.#changes = this.#store.changes.subscribe(() => this.#written());
    this.#pace.at("rest");
  }

  #sleep(): void {
    this.#changes?.[Symbol.dispose]();
    this.#changes = undefined;
    this.#pace[Symbol.dispose]();
    clearTimeout(this.#later);
    this.#later = undefined;
  }

  #written(): void {
    if (this.#later !== undefined) return;
    const waitMs = this.#lookedAt + this.#shown.betweenMs - performance.now();
    this.#later = setTimeout(() => this.#tell(), Math.max(0, waitMs));
  }

  // Processes that have gone, and times that pass, change nothing in the store.
  #ticked(): void {
    if (this.#later === undefined) this.#tell({ looks: this.#shown.hasClock });
  }

  #tell({ looks = true } = {}): void {
    clearTimeout(this.#later);
    this.#later = undefined;
    try {
      // Nobody writes any more to a store whose directory was removed or moved. There may be another one by now, which pages find
      // when they ask again.
      if (!this.#store.isInPlace) this[Symbol.dispose]();
      else if (looks) this.#tellNew();
    } catch {
      // The batch or the state directory was removed, or the disk cannot be read. Pages ask again, and then hear why.
      this[Symbol.dispose]();
    }
  }

  #tellNew(): void {
    this.#look();
    if (this.#version === this.#told) return;
    const sent = this.#sentSince(this.#told);
    this.#told = this.#version;
    for (const follower of [...this.#followers]) follower.hear(sent);
  }

  // Before their turn: the others hear at theirs what this look finds.
  #lookForOne(): void {
    this.#look();
    if (this.isFollowed && this.#version > this.#told) this.#written();
  }

  #look(): void {
    this.#lookedAt = performance.now();
    if (this.#shown.look(this.#version + 1)) this.#version++;
  }

  #sentSince(version: number): Sent {
    return {
      mark: this.#marks.of(this.#version),
      data: JSON.stringify(this.#shown.changeSince(version)),
    };
  }
}
