import { goTo, place } from "../client/location.ts";
import { statsHistory } from "../client/stats-feed.ts";
import { amountText, countText } from "../model/format.ts";
import type { Operations, ServiceGraph } from "../model/service-graph.ts";
import { withParameter } from "../model/sorting.ts";
import { useKeys } from "../parts/keys.ts";
import { CallTable } from "./call-table.tsx";
import { OperationTable } from "./operation-table.tsx";
import { ServiceMap } from "./service-map.tsx";
import { useSummaries } from "./use-summaries.ts";

/** Shows the services in the buffer: the calls between them, and their operations. */
export function ServicesView() {
  const { operations, graph, mistake, isPaused, togglePause } = useSummaries();
  useKeys({ p: togglePause });
  if (operations === undefined || graph === undefined) {
    return <main class="none">{mistake !== undefined && <p role="alert">{mistake}</p>}</main>;
  }
  return (
    <main class="overview services">
      <div class="section-heading">
        <h1>Services</h1>
        <div class="live">
          <span class="faint">{extentText(operations, graph)}</span>
          <button type="button" aria-pressed={isPaused} onClick={togglePause}>
            {isPaused ? "Resume" : "Pause"}
          </button>
        </div>
      </div>
      {mistake !== undefined && <p role="alert">Shown as last read. {mistake}</p>}
      {graph.services.length === 0 ? (
        <p class="none">
          No span is buffered. The figures cover the spans in the <a href="/buffer">buffer</a>.
        </p>
      ) : (
        <>
          <Calls graph={graph} />
          <OperationTable operations={operations} />
        </>
      )}
    </main>
  );
}

function extentText({ operations }: Operations, { services }: ServiceGraph): string {
  const spans = services.reduce((sum, each) => sum + each.spans, 0);
  return [
    amountText(services.length, "service"),
    amountText(operations.length, "operation"),
    `${amountText(spans, "span")} in the buffer`,
  ].join(", ");
}

function Calls({ graph }: { graph: ServiceGraph }) {
  const { path, query } = place.value;
  const isTable = new URLSearchParams(query).get("calls") === "table";
  const show = (text: "table" | undefined): void =>
    goTo(path + withParameter(query, "calls", text), true);
  return (
    <section aria-labelledby="calls-title">
      <div class="section-heading">
        <h2 id="calls-title">Calls between services</h2>
        <div class="switch" role="group" aria-label="Calls as">
          <button type="button" aria-pressed={!isTable} onClick={() => show(undefined)}>
            Map
          </button>
          <button type="button" aria-pressed={isTable} onClick={() => show("table")}>
            Table
          </button>
        </div>
      </div>
      {isTable ? <CallTable calls={graph.calls} /> : <ServiceMap graph={graph} />}
      <Unknown graph={graph} />
    </section>
  );
}

/** States openly which calls are not shown. */
function Unknown({ graph: { unknownParents, unknownLinks, others } }: { graph: ServiceGraph }) {
  const onDisk = statsHistory.value.latest?.disk?.only_on_disk.spans ?? 0;
  const notes = [
    unknownParents > 0 && `Parents that are not buffered: ${countText(unknownParents)}.`,
    unknownLinks > 0 && `Linked spans that are not buffered: ${countText(unknownLinks)}.`,
    onDisk > 0 && `Spans that are only on disk, and not covered: ${countText(onDisk)}.`,
    others > 0 && `Calls between further services: ${countText(others)}.`,
  ].filter((note) => note !== false);
  return notes.length === 0 ? null : <p class="faint small">{notes.join(" ")}</p>;
}
