// This machine as a host for others: what its own configuration lends them.
import { sessionEnvironment } from "../claude/environment.ts";
import { type FoundClaude, findClaude } from "../claude/find.ts";
import { farCommands } from "../far/commands.ts";
import { isExecutable, makePrivateDirectory } from "../platform/files.ts";
import { layoutOf } from "../store/layout.ts";
import { accountOf } from "./account.ts";
import { allowedRoots } from "./allowed-roots.ts";
import { checkVersion } from "./claude-version.ts";
import { stateDirectoryOf } from "./configuration.ts";
import { type Context, newContext } from "./context.ts";

/** Runs the relay or the keeper. Returns an exit status. */
export async function lend(command: string, stateDirectory: string | undefined): Promise<number> {
  using context = newContext("command-line");
  const own = stateDirectory || stateDirectoryOf(context.configuration);
  if (command === farCommands.relay) {
    makePrivateDirectory(own);
    const { relay } = await import("../far/relay.ts");
    return relay(layoutOf(own).farFolder, own);
  }
  const { serveFar } = await import("../engine/hosts/serve-far.ts");
  const { configuration, store } = context;
  let known: FoundClaude | undefined;
  const claudeHere = (): FoundClaude => {
    if (!known?.found || !isExecutable(known.path)) known = findClaude(configuration.claudePath);
    return known;
  };
  await serveFar({
    store,
    account: accountOf(process.env, store.salt()).hash,
    environment: sessionEnvironment(process.env),
    slots: configuration.concurrency,
    memoryLimitMb: configuration.memoryLimitMb,
    allowedRoots: allowedRoots(context),
    findClaude: claudeHere,
    claude: () => aboutClaude(context, claudeHere()),
  });
  return 0;
}

async function aboutClaude(context: Context, claude: FoundClaude) {
  if (!claude.found) return { problem: `${claude.message} ${claude.remedy}` };
  const { version, fault, keep } = await checkVersion(context, claude.path);
  keep();
  return {
    ...(version === undefined ? {} : { version }),
    ...(fault === undefined ? {} : { problem: fault }),
  };
}
