// What docs/operations.md says is typed here: schedules are made, listed and removed as in it, and its settings are taken.
import { expect } from "bun:test";
import { chmodSync, existsSync, mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { codeBlocks } from "../scripts/docs/blocks.ts";
import { product } from "../src/model/product.ts";
import { calendarOf, shownForms } from "../src/operations/schedule/when.ts";
import { testNeeding } from "./facilities.ts";
import { Home } from "./harness.ts";
import { pathWithCommands, putProgram } from "./own-commands.ts";

const document = await Bun.file(join(import.meta.dir, "..", "docs", "operations.md")).text();
const blocks = codeBlocks(document);

testNeeding("Linux")("commands of the operator's chapter do what it says", async () => {
  await using home = new Home();
  putProgram(home);
  const tools = home.file("tools");
  mkdirSync(tools);
  await Bun.write(join(tools, "systemctl"), "#!/bin/sh\n");
  chmodSync(join(tools, "systemctl"), 0o755);
  await Bun.write(join(home.work, "tasks.md"), "- [ ] one\n- [ ] two\n");
  const typed = (text: string) => {
    const { exitCode, stdout, stderr } = Bun.spawnSync(["sh", "-ec", text], {
      cwd: home.work,
      env: { ...home.environment, PATH: [tools, pathWithCommands(home)].join(delimiter) },
    });
    return { code: exitCode, out: stdout.toString(), err: stderr.toString() };
  };
  const block = (heading: string) => blocks.find((one) => one.heading === heading)?.text ?? "";
  const [schedule = "", list = "", remove = ""] = block("Every night").split("\n");
  const unit = join(home.path, ".config/systemd/user", `${product.name}-nightly.service`);
  expect(typed(schedule)).toMatchObject({ code: 0, err: "" });
  expect(existsSync(unit)).toBe(true);
  expect(typed(list).out).toContain("nightly");
  // The command that it starts.
  const [, command = ""] = schedule.split(" -- ");
  expect(typed(`${product.name} ${command}`).code).toBe(0);
  await home.empty();
  const morning = typed(block("The next morning"));
  expect(morning).toMatchObject({ code: 0, err: "" });
  expect(morning.out).toContain("All 2 tasks succeeded.");
  expect(typed(remove).out).toContain("Removed the schedule nightly.");
  expect(existsSync(unit)).toBe(false);
  const settings = typed(block("What stays, and how long"));
  expect(settings).toMatchObject({ code: 0, err: "" });
  expect(await Bun.file(join(home.path, ".config", product.name, "config.json")).json()).toEqual({
    retainDays: 30,
    retainOutput: false,
    retainConversations: false,
  });
  // Every form that it names is one.
  const forms = [...document.matchAll(/`(every [^`"]+)`/g)].map(([, form = ""]) => form);
  expect(forms.length).toBeGreaterThan(5);
  expect(forms.filter((form) => !calendarOf(form))).toEqual([]);
  expect(forms.filter((form) => shownForms.includes(form)).length).toBeGreaterThan(5);
});
