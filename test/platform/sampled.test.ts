import { expect, test } from "bun:test";
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Sampled } from "../../src/platform/sampled.ts";
import { testNeeding } from "../facilities.ts";
import { eventually } from "../harness.ts";

const number = (output: string) => (/^\d+$/.test(output.trim()) ? Number(output) : undefined);

testNeeding("sh")("the first look waits for the command where it should, and later ones never", async () => {
  using place = new Place();
  place.write("1");
  const figure = new Sampled(["/bin/cat", place.path], number, { everyMs: 0, waitsAtFirst: true });
  expect(figure.now()).toBe(1);
  place.write("2");
  // It asks behind our back, so this look still sees what was.
  expect(figure.now()).toBe(1);
  await eventually(
    () => figure.now() === 2,
    () => "the figure is not asked for again",
  );
});

testNeeding("sh")("a first look that does not wait sees nothing, and a later one what has come", async () => {
  using place = new Place();
  place.write("7");
  const figure = new Sampled(["/bin/cat", place.path], number, { everyMs: 3_600_000, waitsAtFirst: false });
  expect(figure.now()).toBeUndefined();
  await eventually(
    () => figure.now() === 7,
    () => "the figure never comes",
  );
  place.write("8");
  expect(figure.now()).toBe(7);
});

testNeeding("sh")("a figure that can no longer be had is not kept", async () => {
  using place = new Place();
  place.write("3");
  const figure = new Sampled(["/bin/cat", place.path], number, { everyMs: 0, waitsAtFirst: true });
  expect(figure.now()).toBe(3);
  rmSync(place.path);
  await eventually(
    () => figure.now() === undefined,
    () => "an old figure stays",
  );
});

testNeeding("sh")("looks that come while the command runs do not start it again", async () => {
  using place = new Place();
  const command = [
    "/bin/sh",
    "-c",
    `echo x >> ${place.path}; while [ -e ${place.path} ] && [ ! -e ${place.path}.go ]; do sleep 0.01; done; echo 5`,
  ];
  const figure = new Sampled(command, number, { everyMs: 0, waitsAtFirst: false });
  for (let look = 0; look < 20; look++) figure.now();
  await eventually(
    () => figure.now() === undefined && place.text() === "x\n",
    () => "the command does not run",
  );
  for (let look = 0; look < 20; look++) figure.now();
  expect(place.text()).toBe("x\n");
  writeFileSync(`${place.path}.go`, "");
  await eventually(
    () => figure.now() === 5,
    () => "the figure never comes",
  );
});

test.each([true, false])(
  "a command that is not there gives nothing (first look waits: %p)",
  (waitsAtFirst) => {
    const figure = new Sampled(["/there/is/nothing"], number, { everyMs: 0, waitsAtFirst });
    expect(figure.now()).toBeUndefined();
    expect(figure.now()).toBeUndefined();
  },
);

testNeeding("sh")("a command that hangs keeps nobody from ending", async () => {
  using place = new Place();
  // It hangs until somebody opens the pipe for writing, which is done only when the process has ended.
  expect(Bun.spawnSync(["mkfifo", place.path]).success).toBe(true);
  const script = `
    import { Sampled } from ${JSON.stringify(join(import.meta.dir, "../../src/platform/sampled.ts"))};
    new Sampled(["/bin/cat", ${JSON.stringify(place.path)}], () => 1, { everyMs: 0, waitsAtFirst: false }).now();
    console.log("through");`;
  await using child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" });
  expect(await child.stdout.text()).toBe("through\n");
  expect(await child.exited).toBe(0);
  // Nobody can open a pipe for writing that nobody reads: the command hangs still.
  const hasEnded = () => {
    try {
      closeSync(openSync(place.path, constants.O_WRONLY | constants.O_NONBLOCK));
      return true;
    } catch {
      return false;
    }
  };
  await eventually(hasEnded, () => "the command is gone");
});

/** A file in a folder of its own. */
class Place implements Disposable {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "pccm-sampled-")));
  readonly path = join(this.folder, "figure");

  write(text: string): void {
    writeFileSync(this.path, text);
  }

  text(): string {
    try {
      return readFileSync(this.path, "utf8");
    } catch {
      // Not written yet.
      return "";
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
