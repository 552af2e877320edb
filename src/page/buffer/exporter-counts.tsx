import { amountText } from "../model/format.ts";
import { type Exporters, requestsText } from "../model/stats.ts";
import { Fact } from "../parts/fact.tsx";

/** Shows what exporters have sent, whether spans came of it or not. */
export function ExporterCounts({ exporters: { grpc, http } }: { exporters: Exporters }) {
  return (
    <section class="panel" aria-labelledby="requests-title">
      <h2 id="requests-title">Requests</h2>
      <dl class="facts-list">
        <Fact
          name="gRPC"
          value={`${requestsText(grpc.requests)}; ${amountText(grpc.connections, "connection")}`}
        />
        <Fact name="HTTP" value={requestsText(http.requests)} />
      </dl>
    </section>
  );
}
