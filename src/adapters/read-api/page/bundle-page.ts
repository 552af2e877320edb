import { join } from "node:path";

/** The files of the page that browsers load, as text. */
export interface PageFiles {
  readonly html: string;
  readonly script: string;
  readonly style: string;
}

const PAGE_FOLDER = join(import.meta.dir, "../../../page");

/** Bundles the page from its sources. Builds of the same sources are identical. */
export async function bundlePage(): Promise<PageFiles> {
  const { outputs } = await Bun.build({
    entrypoints: [join(PAGE_FOLDER, "main.tsx"), join(PAGE_FOLDER, "page.css")],
    target: "browser",
    minify: true,
    define: { "process.env.NODE_ENV": '"production"' },
  });
  const textOf = async (ending: string): Promise<string> =>
    await outputs.find(({ path }) => path.endsWith(ending))!.text();
  const html = await Bun.file(join(PAGE_FOLDER, "page.html")).text();
  return { html, script: await textOf(".js"), style: await textOf(".css") };
}
