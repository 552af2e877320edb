import { useState } from "preact/hooks";
import { requestJson } from "../client/api.ts";
import { usePolling } from "../client/polling.ts";
import { amountText } from "../model/format.ts";
import { CopyButton } from "../parts/copy-button.tsx";
import { placeholderNote, type Receivers, SETUPS } from "./setups.ts";

interface Problem {
  readonly protocol: string;
  readonly reason: string;
  readonly count: number;
  readonly detail?: string;
  readonly hint: string;
}

/** Says what to set so that an application sends its spans here, and shows the first one. */
export function ConnectView() {
  const [spans, setSpans] = useState(0);
  const [problems, setProblems] = useState<readonly Problem[]>([]);
  const [receivers, setReceivers] = useState<Receivers>();
  usePolling(
    async () => {
      const stats = await requestJson<{ spans: { received: number } }>("/api/stats");
      setSpans(stats.spans.received);
      setReceivers(await requestJson<Receivers>("/api/receivers"));
      setProblems((await requestJson<{ problems: Problem[] }>("/api/problems")).problems);
    },
    1000,
    undefined,
  );
  return (
    <main class="connect">
      <h1>Send your first trace</h1>
      <p class={spans > 0 ? "indicator is-green" : "indicator"} role="status">
        <i />
        {spans > 0 ? `${amountText(spans, "span")} received. ` : "Waiting for the first span."}
        {spans > 0 && <a href="/">Show the traces</a>}
      </p>
      {receivers !== undefined && <SetUp receivers={receivers} />}
      <Problems problems={problems} />
    </main>
  );
}

function SetUp({ receivers }: { receivers: Receivers }) {
  const [language, setLanguage] = useState(SETUPS[0]!.name);
  const { lines } = SETUPS.find(({ name }) => name === language)!;
  const text = lines({ receivers, pageHost: location.hostname });
  const note = placeholderNote(text);
  return (
    <>
      <div class="languages" role="group" aria-label="Language">
        {SETUPS.map(({ name }) => (
          <button
            key={name}
            type="button"
            aria-pressed={name === language}
            onClick={() => setLanguage(name)}
          >
            {name}
          </button>
        ))}
      </div>
      <div class="snippet">
        <pre tabIndex={0} aria-label={`Set-up for ${language}`}>
          {text}
        </pre>
        <CopyButton text={text} />
      </div>
      {note !== undefined && <p class="faint">{note}</p>}
    </>
  );
}

function Problems({ problems }: { problems: readonly Problem[] }) {
  if (problems.length === 0) return null;
  return (
    <section>
      <h2>Problems seen</h2>
      {problems.slice(0, 8).map(({ reason, protocol, count, hint }, at) => (
        <div key={at} class="event-box is-error">
          <p>
            <b>{reason.replaceAll("_", " ")}</b> <span class="faint">{protocol}</span>{" "}
            <span class="mono">{count}×</span>
          </p>
          <p>{hint}</p>
        </div>
      ))}
    </section>
  );
}
