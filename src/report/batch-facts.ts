// How a batch was started, for its page: by which door, where, with which models, tools and permissions.
import { cut } from "../model/cut.ts";
import { product } from "../model/product.ts";
import type { BatchState } from "../model/state.ts";
import { costText, countText } from "./amounts.ts";
import { oneLine } from "./harmless.ts";
import { factsHtml, type Html, html, joined } from "./html.ts";
import { doorOf, taskListText } from "./option-words.ts";
import { reuseText } from "./reuse-text.ts";

/** The longest value of an option, in characters. */
const longest = 1_000;

/** As a list of facts. */
export function batchFactsHtml(state: BatchState): Html {
  const { batch } = state;
  const option = (name: string, usual?: string) => optionHtml(state, name, usual);
  return factsHtml(
    [
      ["Started by", startedBy(state)],
      ["Sample", batch.sample === undefined ? undefined : `${taskListText(batch.sample)} first`],
      ["Working directory", option("workingDirectory", batch.workingDirectory)],
      ["Model", option("model") ?? "the default"],
      ["Cost by model", costByModel(state)],
      ["Permission mode", option("permissionMode") ?? "the default"],
      ["Allowed tools", option("allowedTools")],
      ["Disallowed tools", option("disallowedTools")],
      ["Tools", option("tools")],
      ["Reused answers", reuseText(state, doorOf(batch.startedBy))],
    ],
    "long",
  );
}

function startedBy({ batch: { startedBy: by, client } }: BatchState): Html {
  const what = by === "run" ? `${product.name} run` : by;
  return html`<code>${what}</code>${client === undefined ? undefined : `, called by ${oneLine(client, 60)}`}`;
}

/** The batch's value, and how many tasks have their own. */
function optionHtml({ batch }: BatchState, name: string, usual?: string): Html | undefined {
  const value = textOf(batch.sessionOptions[name]) ?? usual;
  const own = batch.tasks.filter(
    ({ options }) => options?.[name] !== undefined && textOf(options[name]) !== value,
  );
  if (value === undefined && own.length === 0) return undefined;
  const others = own.length === 0 ? "" : `, another for ${countText(own.length, "task")}`;
  return html`${value === undefined ? "the default" : html`<code>${cut(value, longest)}</code>`}${others}`;
}

function textOf(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.map(String).join(", ");
  return value === undefined || value === null || value === "" ? undefined : String(value);
}

function costByModel({ spending: { byModel } }: BatchState): Html | undefined {
  const models = [...byModel].map(
    ([model, { costUsd }]) =>
      html`<code>${oneLine(model, 60)}</code> ${costUsd === undefined ? "not known" : costText(costUsd)}`,
  );
  return models.length === 0 ? undefined : joined(models, html`<br>`);
}
