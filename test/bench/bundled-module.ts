import { basename, join } from "node:path";
import { EMBEDDED_WASM } from "../../scripts/build.ts";
import { workFolder } from "./work-folder.ts";

const ENTRY_FOLDER = import.meta.dir;

/**
 * Bundles and minifies a file of this folder with all its imports, like the released product. This
 * affects the speed: between the files of a source tree, each use of an imported constant is a
 * load.
 */
export async function bundle(file: string): Promise<string> {
  const folder = workFolder();
  await Bun.build({
    entrypoints: [join(ENTRY_FOLDER, file)],
    outdir: folder,
    target: "bun",
    minify: true,
    plugins: [EMBEDDED_WASM],
  });
  return join(folder, basename(file).replace(/\.ts$/, ".js"));
}

/**
 * Imports a bundled file. `Module` is the type of the file itself: `typeof
 * import("./loops/walk-loop.ts")`.
 */
export async function importBundled<Module>(file: string): Promise<Module> {
  return (await import(await bundle(file))) as Module;
}
