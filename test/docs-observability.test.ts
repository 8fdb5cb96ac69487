// What docs/observability.md shows for other programs is what they and we understand.
import { expect, test } from "bun:test";
import { basename, join } from "node:path";
import { codeBlocks } from "../scripts/docs/blocks.ts";
import { traceChoice } from "../src/engine/telemetry/target.ts";
import { metrics } from "../src/report/metrics.ts";
import { layoutOf } from "../src/store/layout.ts";

const text = await Bun.file(join(import.meta.dir, "../docs/observability.md")).text();
const blocks = codeBlocks(text);
const yaml = blocks.filter(({ language }) => language === "yaml").map((block) => Bun.YAML.parse(block.text));

test("files for other programs are YAML, and the endpoint is the one that the commands name", () => {
  expect(yaml).toHaveLength(3);
  expect(yaml[0]).toMatchObject({
    receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:4318" } } } },
  });
  const scraped = JSON.stringify(yaml[1]);
  expect(scraped).toContain(`/parallel-claude-code-mcp/${basename(layoutOf("/state").uiTokenFile)}`);
  const endpoints = [...text.matchAll(/OTEL_EXPORTER_OTLP_ENDPOINT=(\S+)/g)].map(
    ([, address = ""]) => address,
  );
  expect(new Set(endpoints)).toEqual(new Set(["http://127.0.0.1:4318"]));
});

test("metrics that alerts name are there, with labels that they have", () => {
  const alerts = JSON.stringify(yaml[2]);
  const named = [...alerts.matchAll(/parallel_claude_[a-z_]+/g)].map(([name]) => name);
  expect(named.length).toBeGreaterThan(3);
  expect(named.filter((name) => !metrics.some((metric) => metric.name === name))).toEqual([]);
});

test("every variable that decides where traces go is one that we read", async () => {
  const source = await Bun.file(join(import.meta.dir, "../src/engine/telemetry/target.ts")).text();
  const [, table = ""] = text.split("### What decides where traces go");
  const [rows = ""] = table.split("\n\nThe setting");
  const variables = [...new Set(rows.match(/OTEL_[A-Z_]+/g))];
  expect(variables.length).toBeGreaterThan(6);
  for (const name of variables) {
    const end = name.replace(/^OTEL_EXPORTER_OTLP_(?:TRACES_)?/, "");
    expect({ name, isRead: source.includes(`"${name}"`) || source.includes(`exporter("${end}")`) }).toEqual({
      name,
      isRead: true,
    });
  }
  expect(traceChoice({ OTEL_TRACES_EXPORTER: "none", OTEL_EXPORTER_OTLP_ENDPOINT: "http://a" }).kind).toBe(
    "none",
  );
});
