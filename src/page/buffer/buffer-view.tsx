import { useState } from "preact/hooks";
import { requestJson } from "../client/api.ts";
import { usePolling } from "../client/polling.ts";
import { statsHistory } from "../client/stats-feed.ts";
import { ageText, amountText, bytesText, countText } from "../model/format.ts";
import { inMemory, type Problem, type ServiceLedger, type Stats } from "../model/stats.ts";
import { Accounting } from "./accounting.tsx";
import { ExporterCounts } from "./exporter-counts.tsx";
import { DiskState, ForwardState } from "./forward-state.tsx";
import { Gauge } from "./gauge.tsx";
import { ProblemList } from "./problem-list.tsx";
import { RateChart } from "./rate-chart.tsx";

const PERIOD_MS = 1000;

/** Shows how full the buffer is, what went in and out, and what went wrong. */
export function BufferView() {
  const { latest } = statsHistory.value;
  const { services, problems } = useDetails();
  return (
    <main class="overview">
      <div class="buffer-heading">
        <h1>Buffer</h1>
        {latest !== undefined && (
          <p class="faint">
            spanring {latest.version}, started {ageText(latest.uptime_seconds)} ago
          </p>
        )}
      </div>
      {latest !== undefined && (
        <>
          <Fullness stats={latest} />
          <RateChart history={statsHistory.value} />
          <div class="panels">
            <ForwardState forward={latest.forward} />
            {latest.disk !== undefined && <DiskState disk={latest.disk} />}
            <ExporterCounts exporters={latest.exporters} />
            {problems !== undefined && <ProblemList problems={problems} />}
          </div>
          {services !== undefined && <Accounting services={services} />}
        </>
      )}
    </main>
  );
}

interface Details {
  readonly services?: readonly ServiceLedger[];
  readonly problems?: readonly Problem[];
}

function useDetails(): Details {
  const [details, setDetails] = useState<Details>({});
  usePolling(
    async (signal) => {
      const [{ services }, { problems }] = await Promise.all([
        requestJson<{ services: readonly ServiceLedger[] }>("/api/services"),
        requestJson<{ problems: readonly Problem[] }>("/api/problems"),
      ]);
      if (!signal.aborted) setDetails({ services, problems });
    },
    PERIOD_MS,
    undefined,
  );
  return details;
}

function Fullness({ stats }: { stats: Stats }) {
  const { capacity, disk } = stats;
  const where = disk === undefined ? "" : " in memory";
  const spans = inMemory(stats, "spans");
  const bytes = inMemory(stats, "bytes");
  return (
    <section class="gauges" aria-label="How full it is">
      <Gauge
        label={`Spans${where}`}
        value={spans}
        max={capacity.spans}
        text={countText(spans)}
        of={`of ${amountText(capacity.spans, "span")}`}
      />
      <Gauge
        label={`Bytes${where}`}
        value={bytes}
        max={capacity.bytes}
        text={bytesText(bytes)}
        of={`of ${bytesText(capacity.bytes)}`}
      />
    </section>
  );
}
