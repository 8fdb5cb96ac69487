// Refuses a Claude Code that is too old before starting anything with it.
import { installAdvice } from "../claude/find.ts";
import { isOlder, isTooOld, oldestVersion, tooOldText, versionIn } from "../claude/versions.ts";
import { fileStamp, isExecutable } from "../platform/files.ts";
import { homeDirectory } from "../platform/paths.ts";
import { type KeptVersion, keepVersion, keptVersion } from "../store/claude-versions.ts";
import { isStorageTrouble } from "../store/database.ts";
import { type Context, isStoreThere, UserError } from "./context.ts";
import { probeVersion } from "./probe.ts";

/** What is known about the version of a `claude`. */
export interface VersionCheck {
  /** Undefined if it does not report one. */
  version: string | undefined;
  /** Why it is refused. Undefined if it is new enough, or reports no version. */
  fault: string | undefined;
  /** Stores the answer. Creates the store if there is none, so call it only if the batch is really started. */
  keep(): void;
}

/**
 * Looks up the version of a `claude`, and runs it if this very file has not been asked before. Missing version output is
 * no fault, because sessions soon show whether it works. `needed`: the version that the requested options need.
 */
export async function checkVersion(
  context: Context,
  claudePath: string,
  needed: string = oldestVersion,
): Promise<VersionCheck> {
  const file = fileStamp(claudePath);
  const kept = file && isStoreThere(context) ? keptVersion(context.store.database, file) : undefined;
  // A wrapper stays the same while its program is updated, so a stored answer never causes a refusal.
  if (kept?.version !== undefined && !isOlder(kept.version, needed))
    return { version: kept.version, fault: undefined, keep: () => undefined };
  const probed = await probeVersion(claudePath, homeDirectory());
  const version = probed.ok ? versionIn(probed.value) : undefined;
  return {
    version,
    fault: version !== undefined && isTooOld(version) ? tooOldText(version, claudePath) : undefined,
    keep: () => {
      // One that did not answer may only have been slow, so it is asked again.
      if (file && version !== undefined) rememberVersion(context, { ...file, version });
    },
  };
}

/** Throws `UserError` for a `claude` that is too old or missing. On other machines (`hosts`), each looks for its own. */
export async function refuseOldClaude(
  context: Context,
  claudePath: string,
  { hosts }: { hosts?: readonly string[] | undefined },
): Promise<VersionCheck> {
  if (hosts) return { version: undefined, fault: undefined, keep: () => undefined };
  if (!isExecutable(claudePath))
    throw new UserError(
      `Nothing was started: ${claudePath}, the claude of this batch, is not there any more, or may not be run. Install it there again, or start a new batch. ${installAdvice}`,
    );
  const checked = await checkVersion(context, claudePath);
  if (checked.fault !== undefined) throw new UserError(`Nothing was started: ${checked.fault}`);
  return checked;
}

// It only saves asking again: a locked or full store is no reason to fail.
function rememberVersion({ store }: Context, version: KeptVersion): void {
  try {
    keepVersion(store.database, version);
  } catch (error) {
    if (!isStorageTrouble(error)) throw error;
  }
}
