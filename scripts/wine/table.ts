// What the run under Wine says of itself: how many files ran, folder by folder, and why the others did not.
import { type FacilityName, facilities } from "../../test/facilities.ts";
import type { Exception } from "../../test/wine/exceptions.ts";

/** What a prefix of Wine has; a test that is skipped for want of one of these has failed. */
const there: readonly FacilityName[] = ["Windows"];

/** Whether a reason for skipping (`needs Linux and a disk to mount`) names what programs under Wine cannot have. */
export function isLackUnderWine(reason: string): boolean {
  const names = /^needs (.*)$/.exec(reason)?.[1]?.split(" and ") ?? [];
  return names.some((name) => Object.hasOwn(facilities, name) && !there.some((known) => known === name));
}

/** The files of a run, as text. */
export function table({
  all,
  run,
  exceptions,
}: {
  all: readonly string[];
  run: readonly string[];
  exceptions: Readonly<Record<string, Exception>>;
}): string {
  const folderOf = (file: string): string =>
    file.includes("/") ? `test/${file.replace(/\/[^/]*$/, "")}` : "test";
  const folders = [...Map.groupBy(all, folderOf)].sort(([a], [b]) => (a < b ? -1 : 1));
  const ran = new Set(run);
  const rows = folders.map(([folder, files]) => {
    const count = files.filter((file) => ran.has(file)).length;
    return `| ${folder.padEnd(16)} | ${String(count).padStart(3)} of ${String(files.length).padStart(3)} |`;
  });
  const share = Math.floor((run.length / all.length) * 100);
  const reasons = Object.entries(exceptions).map(([file, exception]) =>
    "slow" in exception
      ? `- ${file} takes too long there. ${exception.slow}`
      : `- ${file} needs ${exception.lacks}. ${exception.why}`,
  );
  return [
    "",
    "| folder           | files run  |",
    "| ---------------- | ---------- |",
    ...rows,
    "",
    `${run.length} of ${all.length} files ran (${share} %). The others:`,
    ...reasons,
  ].join("\n");
}
