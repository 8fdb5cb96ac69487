// The command `ui`: its address, its port, its end, and a second one beside it.
import { expect, test } from "bun:test";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { testNeeding } from "../facilities.ts";
import { freePort } from "../free-port.ts";
import { Inside } from "../inside.ts";
import { onCommandLine } from "./command-line.ts";
import { Command } from "./own-terminal.ts";

const printed = z.object({ address: z.string(), port: z.int() });

/** Serves until disposed of. */
async function serving(inside: Inside, words: string[] = []) {
  const command = new Command(inside, ["ui", "--json", "--no-open", ...words], {
    isPiped: true,
    columns: 200,
  });
  await command.prints("\n}\n");
  return { command, ...printed.parse(JSON.parse(command.out)) };
}

testNeeding("Linux")(
  "ui serves until a signal, on the same port again, and a second one opens a page of the first",
  async () => {
    using inside = new Inside();
    const batch = inside
      .batch(inside.context(), { batch: { name: "nightly" } })
      .answer(1, "yes")
      .finish();
    // One that nobody takes in between.
    const first = await serving(inside, ["nightly", "--port", String(freePort())]);
    expect(new URL(first.address).hostname).toBe("127.0.0.1");
    expect(new URL(first.address).pathname).toBe(`/batches/${batch.id}`);
    expect(statSync(join(inside.state, "ui-token")).mode & 0o777).toBe(0o600);
    expect(statSync(join(inside.state, "ui-server.json")).mode & 0o777).toBe(0o600);
    const reply = await fetch(first.address);
    const cookie = (reply.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
    expect((await fetch(first.address)).status).toBe(401);

    const second = await onCommandLine(inside, ["ui", "--no-open"]);
    expect(second).toMatchObject({
      code: 0,
      err: "It is served already, by another `ui`. This one ends.\n",
    });
    expect(second.out).toStartWith(`http://127.0.0.1:${first.port}/?code=`);
    expect((await fetch(second.out.trim())).status).toBe(200);

    const page = `http://127.0.0.1:${first.port}/`;
    expect((await fetch(page, { headers: { Cookie: cookie } })).status).toBe(200);
    first.command.signal("SIGTERM");
    expect(await first.command.ended).toBe(0);
    await expect(fetch(page)).rejects.toThrow();
    await first.command[Symbol.asyncDispose]();

    const again = await serving(inside);
    await using _ = again.command;
    expect(again.port).toBe(first.port);
    expect((await fetch(page, { headers: { Cookie: cookie } })).status).toBe(200);
    again.command.signal("SIGINT");
    expect(await again.command.ended).toBe(0);
  },
);

testNeeding("Linux")(
  "ui takes another port where somebody else has its own, and shows nobody its token",
  async () => {
    using inside = new Inside();
    inside.batch(inside.context()).finish();
    const heard: string[] = [];
    using other = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: ({ headers }) => {
        heard.push(JSON.stringify([...headers]));
        return new Response("{}");
      },
    });
    const gone = { boot: "another", namespace: "", pid: 4_194_305, startTicks: "1" };
    await Bun.write(
      join(inside.state, "ui-server.json"),
      JSON.stringify({ port: other.port, process: gone }),
    );
    const { command, port } = await serving(inside);
    await using _ = command;
    expect(port).not.toBe(other.port ?? 0);
    expect(JSON.parse(readFileSync(join(inside.state, "ui-server.json"), "utf8"))).toMatchObject({ port });
    expect(heard).toEqual([]);
    command.signal("SIGTERM");
    expect(await command.ended).toBe(0);
    const busy = await onCommandLine(inside, ["ui", "--no-open", "--port", String(other.port)]);
    expect(busy.code).toBe(2);
    expect(busy.err).toStartWith(
      `Port ${other.port} is in use. Choose another port, or use any free one with`,
    );
  },
);

testNeeding("Linux")(
  "ui opens a private page that leads to the address, which no command line shows",
  async () => {
    using inside = new Inside({ DISPLAY: ":0" });
    inside.batch(inside.context()).finish();
    const opened = inside.file("opened");
    inside.script("bin/xdg-open", `echo "$@" > ${opened}`);
    const { command, port } = await serving(inside);
    await using _ = command;
    // By a second one, which ends once it has opened the page.
    const { out, err, code } = await onCommandLine(inside, ["ui"]);
    expect(code).toBe(0);
    expect(err).toContain("has opened it in the browser. If the page does not come,");
    const page = join(inside.state, "ui.html");
    expect(readFileSync(opened, "utf8")).toBe(`${page}\n`);
    expect(statSync(page).mode & 0o777).toBe(0o600);
    expect(out).toStartWith(`http://127.0.0.1:${port}/?code=`);
    expect(readFileSync(page, "utf8")).toContain(`content="0; url=${out.trim()}"`);
    command.signal("SIGTERM");
    expect(await command.ended).toBe(0);
  },
);

test("ui says of an unknown batch what every command says", async () => {
  using inside = new Inside();
  inside.batch(inside.context()).finish();
  const { code, err, out } = await onCommandLine(inside, ["ui", "nothing", "--no-open"]);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toStartWith("There is no batch nothing.");
});
