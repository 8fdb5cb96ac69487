// The test files that do not run under Wine, and why. `scripts/test-wine.ts` reads this, and prints it as a table.
import type { FacilityName } from "../facilities.ts";

/** A test file that is not run. */
export type Exception =
  /** It needs what programs of Windows do not have on a Linux machine. */
  | { lacks: FacilityName; why: string }
  /** It runs, but takes minutes, so it waits for `bun run test:wine --slow`. */
  | { slow: string };

const shell = "What it starts are lines of a shell.";
const long = "It starts many programs one after another, each of which takes seconds.";
const same = "It starts many programs, each of which takes seconds, for what does not depend on the system.";
const timed =
  "Its limits last seconds: on a busy machine, the sessions that should meet them start too late there.";
const fromSource =
  "It starts the program from its source, in a process for each point at which one is killed.";
const script = "The `claude` in it is a few lines of shell.";

/** By path, from `test/`. */
export const exceptions: Readonly<Record<string, Exception>> = {
  "browser/axe.test.ts": { lacks: "a browser", why: "The same pages are opened on Linux." },
  "browser/compare.test.ts": { lacks: "a browser", why: "The same pages are opened on Linux." },
  "browser/hostile.test.ts": { lacks: "a browser", why: "The same pages are opened on Linux." },
  "browser/live.test.ts": { lacks: "a browser", why: "The same pages are opened on Linux." },
  "browser/page.test.ts": { lacks: "a browser", why: "The same pages are opened on Linux." },
  "browser/ui-pages.test.ts": { lacks: "a browser", why: "The same pages are opened on Linux." },
  "browser/ui.test.ts": { lacks: "a browser", why: "The same pages are opened on Linux." },
  "claude-version.test.ts": { lacks: "programs that are scripts", why: script },
  "batch-end.test.ts": {
    lacks: "programs that are scripts",
    why: "The notification in it is a shell script.",
  },
  "completions.test.ts": { lacks: "bash", why: "It asks four shells, which Windows has not." },
  "container.test.ts": { lacks: "Linux", why: "Containers share a kernel of Linux." },
  "disk.test.ts": { lacks: "a disk to mount", why: "A full disk is a mounted one." },
  "docs.test.ts": {
    lacks: "paths that begin with a slash",
    why: "It reads documents and sources, which are the same, by their paths with slashes.",
  },
  "docs-clusters.test.ts": { lacks: "sh", why: "It types the lines of a document into a shell." },
  "docs-first-batch.test.ts": { lacks: "sh", why: "It types the lines of a document into a shell." },
  "docs-fleet.test.ts": {
    lacks: "redis",
    why: "It starts a server of Debian with the configuration of a document.",
  },
  "fleet/blobs.test.ts": {
    lacks: "Windows itself",
    why: "Under Wine, it does not end, and what it waits for is not known yet.",
  },
  "docs-picture.test.ts": { lacks: "a browser", why: "The same pictures are taken on Linux." },
  "docs-operations.test.ts": { lacks: "Linux", why: "It types what the document has for Linux." },
  "docs-recipes.test.ts": { lacks: "sh", why: "It types the lines of a document into a shell." },
  "doctor.test.ts": { lacks: "programs that are scripts", why: script },
  "engine/tasks.test.ts": { lacks: "programs that are scripts", why: script },
  "executable.test.ts": { lacks: "Bun's compiler", why: "It compiles the program first." },
  "faults.test.ts": { lacks: "Linux", why: "It stops processes and fills file systems." },
  "floors.test.ts": {
    lacks: "paths that begin with a slash",
    why: "It reads sources, which are the same, by their paths with slashes.",
  },
  "install.test.ts": { slow: `${same} Files of Windows are tested by windows.test.ts.` },
  "killed-adopted.test.ts": { slow: fromSource },
  "killed-phases.test.ts": { slow: fromSource },
  "killed-requests.test.ts": { slow: fromSource },
  "left-behind.test.ts": { lacks: "Linux", why: "What it leaves behind are daemons of a shell." },
  "loaded-at-start.test.ts": {
    lacks: "Linux",
    why: "Bun calls no plugin there for the files that it loads, and those are the same.",
  },
  "mac-imitated.test.ts": { lacks: "Linux", why: "It puts another library before that of macOS." },
  "notify.test.ts": { lacks: "programs that are scripts", why: "The desktop in it is a few lines of shell." },
  "packaging/formula.test.ts": { lacks: "ruby", why: "Homebrew is not on Windows." },
  "packaging/install-script-machine.test.ts": { lacks: "sh", why: "Windows has `install.ps1`." },
  "packaging/install-script-place.test.ts": { lacks: "sh", why: "Windows has `install.ps1`." },
  "packaging/install-script.test.ts": { lacks: "sh", why: "Windows has `install.ps1`." },
  "packaging/launcher.test.ts": {
    lacks: "programs that are scripts",
    why: "Node.js runs it, and what it starts is a script.",
  },
  "packaging/npm.test.ts": { lacks: "npm", why: "A release is packed on Linux." },
  "packaging/release-build.test.ts": { lacks: "Linux", why: "A release is built on Linux." },
  "packaging/release-check.test.ts": { lacks: "Linux", why: "A release is checked on Linux." },
  "packaging/release-publish-npm.test.ts": { lacks: "sh", why: "A release is published from Linux." },
  "packaging/workflow-scripts.test.ts": { lacks: "sh", why: shell },
  "real-claude.test.ts": { lacks: "sh", why: "The npm in it is a few lines of shell." },
  "removed-state.test.ts": {
    lacks: "files that can be removed while open",
    why: "It removes a store that is open, and Bun's call for that tries for ever.",
  },
  "run-input.test.ts": { lacks: "sh", why: shell },
  "stalled-disk.test.ts": { lacks: "a disk that stalls", why: "It is a file system in a process of Linux." },
  "starts.test.ts": { lacks: "programs that are scripts", why: script },
  "keys.test.ts": { lacks: "a terminal of one's own", why: "Wine shows no console to who has none." },
  "terminal-view.test.ts": {
    lacks: "a terminal of one's own",
    why: "Wine shows no console to who has none.",
  },
  "wrong-commands.test.ts": { lacks: "sh", why: shell },
  "verify-failures.test.ts": {
    lacks: "Linux",
    why: "It reads what `bun test` prints, whose lines come in another order there.",
  },
  "advice-followed.test.ts": { slow: long },
  "after.test.ts": { slow: same },
  "as-meant.test.ts": { slow: same },
  "background.test.ts": { slow: same },
  "traces.test.ts": { slow: same },
  "bad-input.test.ts": { slow: long },
  "call-as-meant.test.ts": { slow: same },
  "change.test.ts": { slow: same },
  "checks.test.ts": { slow: long },
  "clients.test.ts": { slow: "It waits as long as each client does." },
  "comments.test.ts": { slow: "It reads all sources, which are the same, and files open slowly there." },
  "compare.test.ts": { slow: same },
  "conformance.test.ts": { slow: "It starts the protocol's suite for each scenario." },
  "engine/runner.test.ts": { slow: same },
  "engine/whole-batch.test.ts": { slow: same },
  "export.test.ts": { slow: long },
  "failures-grouped.test.ts": { slow: same },
  "retention.test.ts": { slow: same },
  "fake-claude-newest.test.ts": { slow: same },
  "garbage.test.ts": { slow: same },
  "http-limits.test.ts": { slow: long },
  "http-sessions.test.ts": { slow: same },
  "http.test.ts": { slow: long },
  "limits.test.ts": { slow: timed },
  "logs.test.ts": { slow: same },
  "moved.test.ts": { slow: long },
  "one-process-remembered.test.ts": { slow: same },
  "one-process.test.ts": { slow: same },
  "output.test.ts": { slow: long },
  "paid-faults.test.ts": { slow: long },
  "pipelines.test.ts": { slow: same },
  "prefix.test.ts": { slow: long },
  "resources.test.ts": { slow: long },
  "results.test.ts": { slow: long },
  "retry.test.ts": { slow: same },
  "project-settings.test.ts": { slow: same },
  "reuse.test.ts": { slow: "Before each batch, it waits until its files are old enough." },
  "run-login.test.ts": { slow: same },
  "sample-killed.test.ts": { slow: long },
  "sample.test.ts": { slow: long },
  "sessions.test.ts": { slow: long },
  "run-task.test.ts": { slow: long },
  "spares.test.ts": { slow: same },
  "summary.test.ts": { slow: same },
  "task-files.test.ts": { slow: long },
  "tasks.test.ts": { slow: same },
  "templates.test.ts": { slow: long },
  "trouble.test.ts": { slow: same },
  "usage-limits.test.ts": { slow: timed },
  "wrong-templates.test.ts": { slow: same },
};
