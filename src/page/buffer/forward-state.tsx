import {
  ageText,
  amountText,
  bytesText,
  countText,
  momentText,
  rateText,
} from "../model/format.ts";
import {
  countsText,
  type Disk,
  diskState,
  durabilityText,
  type Forward,
  forwardState,
  retryText,
  type ShownState,
} from "../model/stats.ts";
import { Fact } from "../parts/fact.tsx";
import { Gauge } from "./gauge.tsx";

/** Shows whether spans reach the upstream, and why not. */
export function ForwardState({ forward }: { forward: Forward | undefined }) {
  return (
    <section class="panel" aria-labelledby="forward-title">
      <h2 id="forward-title">Forwarding</h2>
      {forward === undefined ? (
        <p class="faint">
          Off. Set <code>FORWARD_ENDPOINT</code> to send spans on to an upstream.
        </p>
      ) : (
        <Upstream forward={forward} />
      )}
    </section>
  );
}

function Upstream({ forward }: { forward: Forward }) {
  const { last_error: error, in_flight: inFlight, undeliverable, batches } = forward;
  const retried = forward.retried_spans;
  const next = retryText(forward);
  const lost = countsText(undeliverable).join(", ");
  return (
    <>
      <State {...forwardState(forward)} />
      {error !== undefined && (
        <div class="event-box is-error">
          <p>{error.message}</p>
          {error.hint !== undefined && <p>{error.hint}</p>}
          <p class="faint">Last error at {momentText(error.time)}</p>
        </div>
      )}
      <dl class="facts-list">
        {next !== undefined && <Fact name="Next attempt" value={next} />}
        <Fact name="Upstream" value={forward.endpoint} />
        <Fact name="Rate" value={rateText(forward.spans_per_second)} />
        <Fact name="Oldest span" value={`${ageText(forward.lag_seconds)} old`} />
        <Fact
          name="In flight"
          value={`${amountText(inFlight.spans, "span")} in ${inFlight.batches} requests`}
        />
        <Fact name="Batches" value={countsText(batches).join(", ") || "none yet"} />
        {retried > 0 && <Fact name="Sent again" value={amountText(retried, "span")} />}
        {lost !== "" && <Fact name="Undeliverable" value={lost} />}
      </dl>
    </>
  );
}

/** Shows what the log on disk holds. */
export function DiskState({ disk }: { disk: Disk }) {
  return (
    <section class="panel" aria-labelledby="disk-title">
      <h2 id="disk-title">Log on disk</h2>
      <State {...diskState(disk)} />
      {disk.error !== undefined && <p class="error-text">{disk.error}</p>}
      <Gauge
        label="Used"
        value={disk.used_bytes}
        max={disk.max_bytes}
        text={bytesText(disk.used_bytes)}
        of={`of ${bytesText(disk.max_bytes)}`}
      />
      <dl class="facts-list">
        <Fact name="In memory" value={heldText(disk.in_memory)} />
        <Fact name="Only on disk" value={heldText(disk.only_on_disk)} />
        <Fact name="Only in memory" value={heldText(disk.only_in_memory)} />
        <Fact name="Files" value={countText(disk.segments)} />
        <Fact name="Queued" value={bytesText(disk.queued_bytes)} />
        <Fact name="Requests" value={`acknowledged ${durabilityText(disk)}`} />
      </dl>
      {disk.only_on_disk.spans > 0 && (
        <p class="faint">
          Spans that are only on disk are taken and forwarded first. Traces and services do not
          cover them.
        </p>
      )}
    </section>
  );
}

function heldText({ spans, bytes }: Disk["in_memory"]): string {
  return spans === 0 ? "none" : `${amountText(spans, "span")}, ${bytesText(bytes)}`;
}

function State({ text, tone }: ShownState) {
  return (
    <p class={`state is-${tone}`} role="status">
      <i aria-hidden="true" />
      {text}
    </p>
  );
}
