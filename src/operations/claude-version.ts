// Refuses a Claude Code that is too old before anything is started with it.
import { installAdvice } from "../claude/find.ts";
import { isOlder, isTooOld, oldestVersion, tooOldText, versionIn } from "../claude/versions.ts";
import { fileStamp, isExecutable } from "../platform/files.ts";
import { homeDirectory } from "../platform/paths.ts";
import { type KeptVersion, keepVersion, keptVersion } from "../store/claude-versions.ts";
import { isStorageTrouble } from "../store/database.ts";
import { type Context, isStoreThere, UserError } from "./context.ts";
import { probeVersion } from "./probe.ts";

/** What was found out about the version of a `claude`. */
export interface VersionCheck {
  /** Nothing where it does not say. */
  version: string | undefined;
  /** Why it is refused. Nothing where it is new enough, or does not say. */
  fault: string | undefined;
  /** Remembers the answer, where more than a look is meant. A store that is not there is made. */
  keep(): void;
}

/**
 * Looks up the version of a `claude`, and asks it where nobody has asked this very file. One that does not say its
 * version is no fault: sessions show soon enough whether it works. `needed`: the version that what was asked for needs.
 */
export async function checkVersion(
  context: Context,
  claudePath: string,
  needed: string = oldestVersion,
): Promise<VersionCheck> {
  const file = fileStamp(claudePath);
  const kept = file && isStoreThere(context) ? keptVersion(context.store.database, file) : undefined;
  // A wrapper stays the same while what it starts is updated, so nothing is refused by a remembered answer.
  if (kept?.version !== undefined && !isOlder(kept.version, needed))
    return { version: kept.version, fault: undefined, keep: () => undefined };
  const probed = await probeVersion(claudePath, homeDirectory());
  const version = probed.ok ? versionIn(probed.value) : undefined;
  return {
    version,
    fault: version !== undefined && isTooOld(version) ? tooOldText(version, claudePath) : undefined,
    keep: () => {
      // One that did not answer may have had no time to: it is asked again.
      if (file && version !== undefined) rememberVersion(context, { ...file, version });
    },
  };
}

/** Throws `UserError` for a `claude` that is too old, or is not there. */
export async function refuseOldClaude(context: Context, claudePath: string): Promise<VersionCheck> {
  if (!isExecutable(claudePath))
    throw new UserError(
      `Nothing was started: ${claudePath}, the claude of this batch, is not there any more, or may not be run. Install it there again, or start a new batch. ${installAdvice}`,
    );
  const checked = await checkVersion(context, claudePath);
  if (checked.fault !== undefined) throw new UserError(`Nothing was started: ${checked.fault}`);
  return checked;
}

// It only saves asking again: a store that is locked or full is no reason to fail.
function rememberVersion({ store }: Context, version: KeptVersion): void {
  try {
    keepVersion(store.database, version);
  } catch (error) {
    if (!isStorageTrouble(error)) throw error;
  }
}
