// BENCHMARKS.md: what one run of the benchmark measured, where, and which targets it met.
import { arch, cpus, loadavg, release, totalmem, type } from "node:os";
import { join } from "node:path";
import { version } from "../../package.json";
import { outputOf } from "../command.ts";
import type { Line } from "./row.ts";

const root = join(import.meta.dir, "../..");

/** What was measured, by row, as a document. `repeat`: the command that measures it again. */
export async function reportText(measured: Record<string, Line[]>, repeat: string): Promise<string> {
  const lines = Object.values(measured).flat();
  const judged = lines.filter(({ met }) => met !== undefined);
  const met = judged.filter((line) => line.met).length;
  return `# Benchmarks

One run of \`${repeat}\`. What is compared ran in turns within it, and each figure is the median of its rounds: read the ratios, because
times depend on the machine. Of ${judged.length} targets, ${met} were met.

${tableText(measured)}

| where | |
| --- | --- |
${(await placeRows()).map(([name, value]) => `| ${name} | ${value} |`).join("\n")}
`;
}

function tableText(measured: Record<string, Line[]>): string {
  const rows = Object.entries(measured).flatMap(([name, lines]) =>
    lines.map(({ figure, value, beside = "", ratio, target = "", met }) => [
      `\`${name}\``,
      figure.trim(),
      value,
      beside,
      ratio?.toFixed(2) ?? "",
      target,
      met === undefined ? "" : met ? "met" : "**missed**",
    ]),
  );
  return [
    "| row | what | ours | beside | ratio | target | |",
    "| --- | --- | ---: | ---: | ---: | --- | --- |",
    ...rows.map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`),
  ].join("\n");
}

async function placeRows(): Promise<[string, string][]> {
  const commit = (await outputOf(["git", "rev-parse", "--short", "HEAD"], { cwd: root })).trim();
  const processors = cpus();
  const load = loadavg()[0] ?? 0;
  return [
    ["when", new Date().toISOString().slice(0, 10)],
    ["program", `${version}, commit ${commit}`],
    ["Bun", Bun.version],
    ["system", `${type()} ${release()}, ${arch()}`],
    ["processors", `${processors.length} × ${processors[0]?.model.trim() ?? "unknown"}`],
    ["memory", `${(totalmem() / 1e9).toFixed(0)} GB`],
    ["load of the last minute, at the end", load.toFixed(1)],
  ];
}
