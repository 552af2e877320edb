import { render } from "preact";
import { isConnected } from "./client/api.ts";
import { followLink, place } from "./client/location.ts";
import { ConnectView } from "./connect/connect-view.tsx";
import { isKeyHelpShown, KeyHelp } from "./parts/key-help.tsx";
import { useKeys } from "./parts/keys.ts";
import { TokenDialog } from "./parts/token-dialog.tsx";
import { TraceView } from "./trace/trace-view.tsx";
import { TracesView } from "./traces/traces-view.tsx";

const SECTIONS = [
  { path: "/", label: "Traces" },
  { path: "/connect", label: "Connect" },
];

function showKeys(): void {
  isKeyHelpShown.value = true;
}

function Page() {
  const { path } = place.value;
  useKeys({ "?": showKeys });
  return (
    <div class="page" onClick={followLink}>
      <header class="top">
        <a class="mark" href="/">
          <i aria-hidden="true" /> spanring
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
        <button type="button" class="quiet" aria-label="Keys" onClick={showKeys}>
          ?
        </button>
      </header>
      <View path={path} />
      <TokenDialog />
      <KeyHelp />
    </div>
  );
}

function View({ path }: { path: string }) {
  const traceId = /^\/traces\/([^/]+)$/.exec(path)?.[1];
  if (traceId !== undefined) return <TraceView key={traceId} traceId={traceId} />;
  if (path === "/connect") return <ConnectView />;
  return <TracesView renderEmpty={() => <ConnectView />} />;
}

render(<Page />, document.querySelector("#page")!);
