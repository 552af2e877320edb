import { once } from "../../api-messages/message.ts";
import { bundlePage } from "./bundle-page.ts";

/**
 * Returns the files of the page. `scripts/build.ts` replaces this module by the finished files;
 * a run from the sources bundles them at the first request.
 */
export const pageFiles = once(bundlePage);
