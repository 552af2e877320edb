import { signal } from "@preact/signals";

/** The part of the URL that decides what the page shows. */
export interface Place {
  readonly path: string;
  readonly query: string;
}

function currentPlace(): Place {
  return { path: location.pathname, query: location.search.replace(/^\?/, "") };
}

export const place = signal<Place>(currentPlace());

addEventListener("popstate", () => {
  place.value = currentPlace();
});

/** Shows another place. With `isReplacing`, Back leads to the place before this one. */
export function goTo(url: string, isReplacing = false): void {
  if (isReplacing) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
  place.value = currentPlace();
}

/** Follows a click on a link of the page without loading it again. */
export function followLink(event: MouseEvent): void {
  const link = (event.target as Element).closest("a");
  if (link === null || link.origin !== location.origin || link.hasAttribute("download")) return;
  if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (link.pathname.startsWith("/api/")) return;
  event.preventDefault();
  goTo(link.pathname + link.search);
}
