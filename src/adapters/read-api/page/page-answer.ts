import type { PageFiles } from "./bundle-page.ts";
import { pageFiles } from "./page-files.ts";

/** A file of the page, and the headers of its response. */
interface ServedFile {
  readonly file: keyof PageFiles;
  readonly type: string;
}

const HTML: ServedFile = { file: "html", type: "text/html; charset=utf-8" };

const ASSETS: Readonly<Record<string, ServedFile>> = {
  "/assets/page.js": { file: "script", type: "text/javascript; charset=utf-8" },
  "/assets/page.css": { file: "style", type: "text/css; charset=utf-8" },
};

/** Matches the URL of each view. The page itself decides what to show for it. */
const VIEW = /^\/$|^\/(traces\/[^/]+|compare\/[^/]+\/[^/]+|services|buffer|connect)$/;

/** Only its own files and the API: no inline code, no frames, no other host. */
const SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * Returns the page or one of its files; undefined for any other request. They hold no spans and no
 * secrets, so they need no token: the page asks for one when the API does.
 */
export async function answerPage(
  { method, headers }: Pick<Request, "method" | "headers">,
  pathname: string,
): Promise<Response | undefined> {
  if (method !== "GET" && method !== "HEAD") return undefined;
  const served = VIEW.test(pathname) ? HTML : ASSETS[pathname];
  if (served === undefined) return undefined;
  const text = (await pageFiles())[served.file];
  const mayCompress = /\bgzip\b/.test(headers.get("accept-encoding") ?? "");
  return new Response(mayCompress ? Bun.gzipSync(text) : text, {
    headers: {
      "Cache-Control": "no-cache",
      "Content-Security-Policy": SECURITY_POLICY,
      "Content-Type": served.type,
      "Referrer-Policy": "no-referrer",
      Vary: "Accept-Encoding",
      "X-Content-Type-Options": "nosniff",
      ...(mayCompress && { "Content-Encoding": "gzip" }),
    },
  });
}
