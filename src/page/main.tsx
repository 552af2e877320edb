import { render } from "preact";
import { useLayoutEffect } from "preact/hooks";
import { BufferView } from "./buffer/buffer-view.tsx";
import { isConnected } from "./client/api.ts";
import { followLink, goTo, place } from "./client/location.ts";
import { useStatsFeed } from "./client/stats-feed.ts";
import { CompareView } from "./compare/compare-view.tsx";
import { ConnectView } from "./connect/connect-view.tsx";
import { isKeyHelpShown, KeyHelp } from "./parts/key-help.tsx";
import { type Keys, useKeys } from "./parts/keys.ts";
import { TokenDialog } from "./parts/token-dialog.tsx";
import { ServicesView } from "./services/services-view.tsx";
import { TraceView } from "./trace/trace-view.tsx";
import { TracesView } from "./traces/traces-view.tsx";
import { UploadButton } from "./upload/upload-button.tsx";
import { UploadPanel } from "./upload/upload-panel.tsx";

const SECTIONS = [
  { path: "/", label: "Traces" },
  { path: "/services", label: "Services" },
  { path: "/buffer", label: "Buffer" },
  { path: "/connect", label: "Connect" },
];

/** A digit opens the view in that place. */
const SECTION_KEYS: Keys = Object.fromEntries(
  SECTIONS.map(({ path }, at) => [String(at + 1), () => goTo(path)]),
);

function showKeys(): void {
  isKeyHelpShown.value = true;
}

function Page() {
  const { path } = place.value;
  useStatsFeed();
  useEntry(path);
  useKeys({ ...SECTION_KEYS, "?": showKeys });
  return (
    <div class="page" onClick={followLink}>
      <header class="top">
        <a class="mark" href="/">
          <i aria-hidden="true" />
          <span>spanring</span>
        </a>
        <nav aria-label="Views">
          {SECTIONS.map((each) => (
            <a
              key={each.path}
              href={each.path}
              aria-current={each.path === path ? "page" : undefined}
            >
              {each.label}
            </a>
          ))}
        </nav>
        {!isConnected.value && (
          <span class="error-text" role="alert">
            spanring does not answer
          </span>
        )}
        <UploadButton />
        <button type="button" class="quiet" aria-label="Keys" onClick={showKeys}>
          ?
        </button>
      </header>
      <UploadPanel />
      <View path={path} />
      <TokenDialog />
      <KeyHelp />
    </div>
  );
}

/** Announces a new view: names the page, and moves the focus, so that keys scroll the view. */
function useEntry(path: string): void {
  useLayoutEffect(() => {
    const label = SECTIONS.find((each) => each.path === path)?.label ?? "Trace";
    document.title = `${label} · spanring`;
    focusView();
  }, [path]);
}

function focusView(): void {
  const main = document.querySelector("main")!;
  main.tabIndex = -1;
  main.focus();
}

/** Says what to set. It takes the place of the empty list, and of its focus. */
function EmptyTraces() {
  useLayoutEffect(() => {
    if (document.activeElement === document.body) focusView();
  }, []);
  return <ConnectView />;
}

function View({ path }: { path: string }) {
  const traceId = /^\/traces\/([^/]+)$/.exec(path)?.[1];
  if (traceId !== undefined) return <TraceView key={traceId} traceId={traceId} />;
  const [, firstId, secondId] = /^\/compare\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
  if (firstId !== undefined && secondId !== undefined) {
    return <CompareView key={path} firstId={firstId} secondId={secondId} />;
  }
  if (path === "/services") return <ServicesView />;
  if (path === "/buffer") return <BufferView />;
  if (path === "/connect") return <ConnectView />;
  return <TracesView renderEmpty={() => <EmptyTraces />} />;
}

render(<Page />, document.querySelector("#page")!);
