// `ui`: serves the pages of all batches to browsers on this machine, from which one can act.
import { z } from "zod";
import { product } from "../../../model/product.ts";
import { type Context, newContext, serverBusyTimeoutMs, UserError } from "../../../operations/context.ts";
import { resolveBatch } from "../../../operations/find-batch.ts";
import { uiToken } from "../../../operations/http-token.ts";
import { onStore } from "../../../operations/perform.ts";
import { addressesOf, listAddress } from "../../../operations/ui/addresses.ts";
import { keepOnlyPort, keepServer, lastServer, openAddress } from "../../../operations/ui/place.ts";
import { codeOf, messageOf } from "../../../platform/system-error.ts";
import { runningUi } from "../../ui/running-ui.ts";
import { openUi, type UiServer } from "../../ui/server.ts";
import {
  batchPositional,
  type Command,
  checkUsage,
  type Invocation,
  jsonFlag,
  jsonText,
} from "../input/command.ts";
import { endingSignals } from "../signals/ending-signals.ts";
import type { Terminal } from "../terminal/terminal.ts";

const input = z.object({ batchId: z.string().optional() });

const own = z.object({
  port: z
    .int()
    .min(0)
    .max(65_535)
    .meta({
      description:
        "Serve on this port (default: that of the last time, so that open pages come back; at first, or with 0, any free one).",
      placeholder: "PORT",
    })
    .optional(),
  open: z
    .boolean()
    .meta({
      description: "Open the page in the browser.",
      negated: "Only print the address, and open no browser.",
    })
    .default(true),
  json: jsonFlag.shape.json,
});
type Own = z.output<typeof own>;

export const ui: Command = {
  name: "ui",
  otherNames: ["web", "dashboard", "gui", "pages"],
  summary: "Serve pages of all batches, from which you can act",
  description:
    "Serves the list of all your batches and the page of each, live, to browsers on this machine, until Ctrl-C; batches go on without it. From the page of a batch you can pause and continue it, change how many sessions run at once and its budget, cancel it or some of its tasks, and retry tasks, also with another model, time limit or budget. Opens the list, or the page of BATCH. The address lets one browser in, once; type `ui` again for another one. Other machines cannot reach it.",
  examples: [
    ["ui", "Open the list of all batches"],
    ["ui latest", "Open the page of the newest batch"],
    ["ui --no-open --port 8099", "Only print the address, for a tunnel: `ssh -L 8099:127.0.0.1:8099 HOST`"],
  ],
  input,
  withoutFlags: ["batchId"],
  own,
  positionals: [
    {
      ...batchPositional,
      required: false,
      description: `${batchPositional.description} Without it, the list of all batches.`,
    },
  ],
  run: async ({ input: given, own: flags, terminal }: Invocation) => {
    const { batchId } = checkUsage(input, given);
    const wanted = checkUsage(own, flags);
    using context = newContext("command-line", { busyTimeoutMs: serverBusyTimeoutMs });
    const path = await onStore(context, () => pathOf(context, batchId));
    const running = await runningUi(context, { path, wanted: wanted.port });
    if (running) {
      await show(running.address, { context, terminal, wanted, port: running.port });
      await terminal.err.tell("It is served already, by another `ui`. This one ends.");
      return 0;
    }
    const { token } = await uiToken(context);
    return await serve(context, { path, token, terminal, wanted });
  },
};

async function pathOf(context: Context, given: string | undefined): Promise<string> {
  if (given === undefined) return listAddress;
  const { batchId } = await resolveBatch(context, given);
  return addressesOf(batchId).page;
}

async function serve(
  context: Context,
  { path, token, terminal, wanted }: { path: string; token: string; terminal: Terminal; wanted: Own },
): Promise<number> {
  const stopped = Promise.withResolvers<void>();
  for (const signal of endingSignals) process.on(signal, () => stopped.resolve());
  using server = listening(context, token, wanted.port);
  await keepServer(context, server.port);
  await show(server.addressOf(path), { context, terminal, wanted, port: server.port });
  await terminal.err.tell("Ctrl-C ends this server. Batches go on.");
  await stopped.promise;
  await keepOnlyPort(context, server.port);
  return 0;
}

// On the port of the last time, unless somebody else has it now.
function listening(context: Context, token: string, wanted: number | undefined): UiServer {
  const last = wanted === undefined ? lastServer(context)?.port : undefined;
  if (last !== undefined) {
    try {
      return openUi(context, { port: last, token });
    } catch (error) {
      if (codeOf(error) !== "EADDRINUSE" && codeOf(error) !== "EACCES") throw error;
    }
  }
  try {
    return openUi(context, { port: wanted ?? 0, token });
  } catch (error) {
    const texts: Record<string, string> = {
      EADDRINUSE: `Port ${wanted} is in use. Choose another port, or use any free one with \`--port 0\`.`,
      EACCES: `Port ${wanted} requires more rights than you have. Choose one from 1024 on, or use any free one with \`--port 0\`.`,
    };
    throw new UserError(texts[codeOf(error) ?? ""] ?? `Cannot listen on port ${wanted}: ${messageOf(error)}`);
  }
}

async function show(
  address: string,
  {
    context,
    terminal: { out, err },
    wanted: { open, json = false },
    port,
  }: { context: Context; terminal: Terminal; wanted: Own; port: number },
): Promise<void> {
  await out.print(json ? jsonText({ address, port }) : address);
  const failure = open ? await openAddress(context, address) : undefined;
  if (failure !== undefined) await err.tell(`The page was not opened: ${failure}. Open the address above.`);
  else if (open)
    await err.tell(
      `${product.name} has opened it in the browser. If the page does not come, open the address above.`,
    );
}
