// Which processes carry a marker, look after look. On Windows nobody can tell, nor is it asked.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { lookForMarkers } from "../../src/platform/process-table.ts";
import { markerVariable } from "../../src/platform/session-variables.ts";
import { describeNeeding, testNeeding } from "../facilities.ts";
import { eventually } from "../harness.ts";
import { startIdle } from "../idle.ts";

describeNeeding("a system other than Windows")("the look at the process table", () => {
  test("finds a process that began after an earlier look, and again as long as it lives", async () => {
    const marker = markerOf("began-later");
    await using _unmarked = await sleeping({});
    expect(pidsOf(marker)).toEqual([]);
    await using first = await sleeping({ [markerVariable]: marker });
    await using second = await sleeping({ [markerVariable]: marker });
    for (let look = 0; look < 3; look++) expect(pidsOf(marker)).toEqual([first.pid, second.pid].sort());
  });

  test("finds what one marker's look has passed over, when its own is asked for", async () => {
    const [one, other] = [markerOf("one"), markerOf("other")];
    await using marked = await sleeping({ [markerVariable]: other });
    expect(pidsOf(one)).toEqual([]);
    expect(pidsOf(other)).toEqual([marked.pid]);
  });

  test("finds what a marked process starts", async () => {
    const marker = markerOf("descent");
    await using shell = Bun.spawn(["sh", "-c", "sleep 1000 & echo $!; wait"], {
      env: { ...process.env, [markerVariable]: marker },
      stdout: "pipe",
    });
    const { value } = await shell.stdout.getReader().read();
    expect(pidsOf(marker)).toContain(shell.pid);
    const grandchild = Number(new TextDecoder().decode(value));
    // In the moment in which it becomes `sleep` it shows no environment; a sweep looks again then, too.
    const both = [shell.pid, grandchild].sort();
    await eventually(
      () => Bun.deepEquals(pidsOf(marker), both),
      () => `${pidsOf(marker)} instead of ${both}`,
    );
    process.kill(grandchild, "SIGKILL");
  });

  test("gives those of several markers apart", async () => {
    const [one, other] = [markerOf("left"), markerOf("right")];
    await using left = await sleeping({ [markerVariable]: one });
    await using right = await sleeping({ [markerVariable]: other });
    const found = lookForMarkers(new Set([one, other])).byMarker;
    expect(found.get(one)?.map(({ pid }) => pid)).toEqual([left.pid]);
    expect(found.get(other)?.map(({ pid }) => pid)).toEqual([right.pid]);
  });

  testNeeding("Linux")("is not whole when it meets a process that has ended", async () => {
    await using parent = Bun.spawn(["sh", "-c", "exec 3<&0; read word <&3 & echo $!; exec sleep 1000 3<&-"], {
      stdin: "pipe",
      stdout: "pipe",
    });
    const { value } = await parent.stdout.getReader().read();
    const zombie = Number(new TextDecoder().decode(value));
    // A shell would take the word of its end; `sleep` never does.
    await eventually(
      () => readFileSync(`/proc/${parent.pid}/comm`, "utf8") === "sleep\n",
      () => "the shell does not become sleep",
    );
    await parent.stdin.end();
    await eventually(
      () => readFileSync(`/proc/${zombie}/stat`, "latin1").includes(") Z "),
      () => "it does not end",
    );
    // Only this one: whatever else ends on this machine would be met, too.
    expect(lookForMarkers(new Set(), [zombie]).isWhole).toBe(false);
    // What is known not to answer is not asked again, where the looks follow each other fast enough.
    await eventually(
      () => lookForMarkers(new Set(), [zombie]).isWhole,
      () => "no look is whole",
    );
  });

  testNeeding("Linux")("is whole where a process has no environment, once it was seen without", async () => {
    await using empty = Bun.spawn(["/bin/sleep", "1000"], { env: {} });
    await eventually(
      () => readFileSync(`/proc/${empty.pid}/comm`, "utf8") === "sleep\n",
      () => "it does not become sleep",
    );
    await eventually(
      () => lookForMarkers(new Set(), [empty.pid]).isWhole,
      () => "no look is whole",
    );
  });

  testNeeding("Linux")("finds the marker of a process that had shown no environment", async () => {
    const marker = markerOf("late");
    const script = `read word; ${markerVariable}=${marker} exec sleep 1000`;
    await using late = Bun.spawn(["sh", "-c", script], { env: {}, stdin: "pipe" });
    for (let look = 0; look < 3; look++) expect(pidsOf(marker)).toEqual([]);
    late.stdin.write("go\n");
    await late.stdin.end();
    await eventually(
      () => Bun.deepEquals(pidsOf(marker), [late.pid]),
      () => `${pidsOf(marker)} instead of ${late.pid}`,
    );
  });
});

// Other tests, and other runs of this one, look at the same machine.
function markerOf(name: string): string {
  return `process-table-${process.pid}-${name}`;
}

const sleeping = (environment: Record<string, string>) =>
  startIdle({ env: { PATH: process.env["PATH"] ?? "", ...environment } });

function pidsOf(marker: string): number[] {
  return (lookForMarkers(new Set([marker])).byMarker.get(marker) ?? []).map(({ pid }) => pid).sort();
}
