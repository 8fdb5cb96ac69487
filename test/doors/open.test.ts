// `open`: the page of a batch, with a desktop that is a few lines of shell.
import { describe, expect, test } from "bun:test";
import { testNeeding } from "../facilities.ts";
import { Inside } from "../inside.ts";
import { onCommandLine } from "./command-line.ts";

function withPage(more: Record<string, string> = {}): { inside: Inside; page: string; batchId: string } {
  const inside = new Inside(more);
  const { id } = inside.batch(inside.context()).answer(1, "yes").finish();
  const page = inside.write(`output/report-${id}.html`, "<p>");
  return { inside, page, batchId: id };
}

describe("open", () => {
  testNeeding("programs that are scripts")(
    "shows the page with what the desktop has for that, and prints its path",
    async () => {
      const { inside, page, batchId } = withPage({ DISPLAY: ":0" });
      using _ = inside;
      inside.script("bin/xdg-open", `echo "$@" > ${inside.file("opened")}`);
      expect(await onCommandLine(inside, ["open", "latest"])).toEqual({ code: 0, out: `${page}\n`, err: "" });
      expect(await Bun.file(inside.file("opened")).text()).toBe(`${page}\n`);
      inside.remove(inside.file("opened"));
      const printed = await onCommandLine(inside, ["open", "latest", "--print"]);
      expect(printed).toEqual({ code: 0, out: `${page}\n`, err: "" });
      expect(await Bun.file(inside.file("opened")).exists()).toBe(false);
      const json = async (...flags: string[]) =>
        JSON.parse((await onCommandLine(inside, ["open", batchId, "--json", ...flags])).out);
      expect(await json()).toEqual({ batchId, reportFile: page, opened: true });
      expect(await json("--print")).toEqual({ batchId, reportFile: page, opened: false });
    },
  );

  testNeeding("programs that are scripts")(
    "says why it could not be shown, and that is no failure",
    async () => {
      const { inside, page } = withPage({ DISPLAY: ":0" });
      using _ = inside;
      const opener = inside.script("bin/xdg-open", "exit 3");
      expect(await onCommandLine(inside, ["open", "latest"])).toEqual({
        code: 0,
        out: `${page}\n`,
        err: `The page was not opened: \`${opener}\` ended with 3.\n`,
      });
      delete process.env["DISPLAY"];
      expect((await onCommandLine(inside, ["open", "latest"])).err).toBe(
        "The page was not opened: there is no desktop here.\n",
      );
    },
  );

  test("refuses a page that is not there", async () => {
    const { inside, page, batchId } = withPage();
    using _ = inside;
    inside.remove(page);
    expect(await onCommandLine(inside, ["open", "latest"])).toEqual({
      code: 2,
      out: "",
      err: `The page ${page} does not exist: it was removed, or is not written yet. \`parallel-claude-code-mcp show ${batchId}\` shows the batch here.\n`,
    });
  });
});
