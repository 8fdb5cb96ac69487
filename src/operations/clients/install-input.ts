// What installing and uninstalling take.
import { z } from "zod";
import { type ClientName, clientNames } from "./client-names.ts";
import { defaultName, otherDefaultName } from "./own-entry.ts";

/** Where an entry goes: with the user, or into the project around the current directory, for all who work on it. */
export const installScopes = ["user", "project"] as const;

const common = z.strictObject({
  client: z
    .enum(clientNames)
    .meta({
      description:
        "Client whose configuration to change. Without it, list all supported clients and their state.",
    })
    .optional(),
  name: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, "expected letters, digits, - and _, at most 64")
    .meta({
      description: `Name of the server in the client (default: that of an entry that starts this program, else ${defaultName}, or ${otherDefaultName} where another server has that name).`,
      placeholder: "NAME",
    })
    .optional(),
  scope: z
    .enum(installScopes)
    .meta({
      description:
        "`user`: the client's own configuration. `project`: the file in the current project that all who work on it share, such as `.mcp.json`; its entry names the program without its path (default: user).",
    })
    .optional(),
});

export const installInput = z.strictObject({
  ...common.shape,
  command: z
    .string()
    .min(1)
    .meta({
      description:
        "Program that the client starts (default: this one, by its real path; in a project by its name).",
      placeholder: "PATH",
    })
    .optional(),
  env: z
    .array(z.string())
    .meta({
      description: "Environment variable for the server, for example ANTHROPIC_API_KEY=….",
      placeholder: "KEY=VALUE",
    })
    .optional(),
  replace: z
    .boolean()
    .meta({ description: "Replace another server that has the name. `uninstall` brings it back." })
    .optional(),
});

export const uninstallInput = z.strictObject({
  ...common.shape,
  command: z
    .string()
    .min(1)
    .meta({
      description: "Program that the entry starts, if it was installed with this option.",
      placeholder: "PATH",
    })
    .optional(),
});

/** Once a client is chosen. */
type Chosen<Input> = Omit<Input, "client"> & { client: ClientName };

export type InstallAsked = Chosen<z.output<typeof installInput>>;
export type UninstallAsked = Chosen<z.output<typeof uninstallInput>>;
