// Texts that somebody cut within a character: JSON can hold the half, and many clients then drop the whole message.
import { expect, test } from "bun:test";
import { excerpt } from "../src/operations/faults.ts";
import { clients, Home } from "./harness.ts";

const half = "\ud83d";

for (const { era, connect } of clients) {
  test(`a ${era} gets no half of a character, in an answer or an error`, async () => {
    await using home = new Home();
    await using client = await connect(home);
    const answer = await client.call("spawn_claude_session", {
      task: `[[answer text='one${half}']] ${half}two`,
      batchName: `${half}three`,
    });
    expect(answer.data).toMatchObject({
      result: "one\ufffd",
      taskDescription: expect.stringContaining("\ufffdtwo"),
    });
    expect(answer.text.isWellFormed()).toBe(true);
    expect(JSON.parse(answer.text)).toEqual(answer.data);
    const error = await client.call("spawn_claude_session", { task: "x", [`effort${half}`]: half });
    expect(error).toMatchObject({ isError: true, text: expect.stringContaining("effort\ufffd") });
  });
}

test("what is quoted of a value ends with a whole character", () => {
  for (const value of ["😀".repeat(60), `x${"😀".repeat(60)}`])
    expect(excerpt(value).isWellFormed()).toBe(true);
});
