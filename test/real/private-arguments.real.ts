// What is kept out of the command line, where every user of the machine could read it: prompts and servers in files, the
// schema of the answer and agents by `initialize`.
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { systemText } from "./messages-api.ts";
import { isInit, isResult, prompt, startReal } from "./session.ts";
import { useStandIn } from "./stand-in.ts";
import { claude, describeReal } from "./version.ts";

setDefaultTimeout(60_000);

describeReal("what is not on the command line", () => {
  const standIn = useStandIn();

  const claudePath = claude?.path ?? "claude";
  const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };

  function initialize(request: object): object {
    return { type: "control_request", request_id: "i", request: { subtype: "initialize", ...request } };
  }

  test("MCP servers are taken from a file", async () => {
    const { home, api } = standIn;
    const servers = { mcpServers: { gone: { command: "/nonexistent/server", args: ["token"] } } };
    const file = join(home.path, "servers, one=two.json");
    await Bun.write(file, JSON.stringify(servers));
    await using session = startReal({
      claude: claudePath,
      home,
      environment: api.environment,
      args: [`--mcp-config=${file}`],
    });
    session.send(prompt("hello"));
    expect(await session.next(isInit)).toMatchObject({ mcp_servers: [{ name: "gone" }] });
    expect(await session.end()).toMatchObject({ stderr: "", exitCode: 0 });
  });

  test("system prompts, agents and the schema of the answer are taken from `initialize`", async () => {
    const { home, api } = standIn;
    await using session = startReal({ claude: claudePath, home, environment: api.environment });
    session.send(
      initialize({
        systemPrompt: "- one, two = three\n",
        appendSystemPrompt: "--verbose is no flag here",
        jsonSchema: schema,
        agents: { reviewer: { description: "Reviews", prompt: "You review." } },
      }),
    );
    expect(await session.next(({ type }) => type === "control_response")).toMatchObject({
      response: { subtype: "success" },
    });
    session.send(prompt('STRUCTURED: {"n":7}'));
    const init = await session.next(isInit);
    expect(init["tools"]).toContain("StructuredOutput");
    expect(init["agents"]).toContain("reviewer");
    expect(await session.next(isResult)).toMatchObject({ structured_output: { n: 7 } });
    expect(await session.end()).toMatchObject({ stderr: "", exitCode: 0 });
    const call = api.calls().at(-1);
    expect(call && systemText(call)).toContain("- one, two = three\n");
    expect(call && systemText(call)).toContain("--verbose is no flag here");
  });

  test("a session runs as an agent that `initialize` brings", async () => {
    const { home, api } = standIn;
    await using session = startReal({
      claude: claudePath,
      home,
      environment: api.environment,
      args: ["--agent=reviewer"],
    });
    session.send(
      initialize({
        appendSystemPrompt: "Be brief.",
        agents: { reviewer: { description: "Reviews", prompt: "You review.", tools: ["Read"] } },
      }),
    );
    await session.next(({ type }) => type === "control_response");
    session.send(prompt("hello"));
    expect(await session.next(isInit)).toMatchObject({ tools: ["Read"] });
    expect(await session.next(isResult)).toMatchObject({ is_error: false });
    await session.end();
    const call = api.calls().at(-1);
    expect(call && systemText(call)).toContain("You review.");
    expect(call && systemText(call)).toContain("Be brief.");
  });

  test("a conversation that is resumed takes them again", async () => {
    const { home, api } = standIn;
    const id = crypto.randomUUID();
    for (const args of [[`--session-id=${id}`], [`--resume=${id}`]]) {
      await using session = startReal({ claude: claudePath, home, environment: api.environment, args });
      session.send(initialize({ appendSystemPrompt: "Be brief.", jsonSchema: schema }));
      await session.next(({ type }) => type === "control_response");
      session.send(prompt('STRUCTURED: {"n":7}'));
      expect(await session.next(isResult)).toMatchObject({ structured_output: { n: 7 } });
      await session.end();
      const call = api.calls().at(-1);
      expect(call && systemText(call)).toContain("Be brief.");
    }
  });
});
