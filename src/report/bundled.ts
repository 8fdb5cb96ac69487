// The scripts and the style of the pages, bundled and minified. As a program, it prints them.

export interface Bundled {
  /** The script of the page of a batch. */
  live: string;
  /** The script of the page of a batch, as \`ui\` serves it. */
  served: string;
  /** The script of the list of all batches, which only \`ui\` serves. */
  batches: string;
  /** The script of the page of a result. */
  result: string;
  /** The script of the page of a comparison. */
  compare: string;
  /** The script of the page of a session. */
  session: string;
  /** The script of a page whose contents do not change. */
  still: string;
  /** The style of all. */
  style: string;
}

const sources: Record<keyof Bundled, string> = {
  live: "browser/live.ts",
  served: "browser/served.ts",
  batches: "browser/batches.ts",
  result: "browser/result.ts",
  compare: "browser/compare.ts",
  session: "browser/session.ts",
  still: "browser/still.ts",
  style: "style/style.css",
};

async function bundle(source: string): Promise<string> {
  const { outputs } = await Bun.build({
    entrypoints: [`${import.meta.dir}/${source}`],
    target: "browser",
    format: "iife",
    minify: true,
  });
  const [output] = outputs;
  if (!output || outputs.length > 1) throw new Error(`Internal error: ${source} is not one bundle.`);
  return (await output.text()).trim();
}

if (import.meta.main) {
  const bundles = Object.entries(sources).map(
    async ([name, source]) => [name, await bundle(source)] as const,
  );
  console.log(JSON.stringify(Object.fromEntries(await Promise.all(bundles))));
}
