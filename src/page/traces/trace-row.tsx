import { clockText, countText, durationText } from "../model/format.ts";
import { ServiceName } from "../parts/service-name.tsx";
import type { TraceSummary } from "../model/trace-feed.ts";

interface TraceRowProps {
  readonly trace: TraceSummary;
  /** Where the row leads. */
  readonly url: string;
  /** The longest duration in the list, for the bar. */
  readonly longestNano: number;
  readonly isSelected: boolean;
  /** Whether it has been evicted, taken or delivered since it was listed. */
  readonly isGone: boolean;
}

/** One trace of the list. */
export function TraceRow({ trace, url, longestNano, isSelected, isGone }: TraceRowProps) {
  const { traceId, rootService, root, services, spans, errors } = trace;
  const start = trace.startTimeUnixNano === null ? null : BigInt(trace.startTimeUnixNano);
  const duration = trace.durationNano === null ? null : Number(trace.durationNano);
  const share = Math.max(0, duration ?? 0) / longestNano;
  return (
    <a
      id={`trace-${traceId}`}
      class={isGone ? "trace-row is-gone" : "trace-row"}
      role="option"
      tabIndex={-1}
      aria-selected={isSelected}
      href={url}
    >
      <time class="mono faint">{clockText(start)}</time>
      <span class="trace-name">
        <ServiceName service={rootService ?? services[0] ?? "unknown_service"} />
        <span class={root === null ? "faint" : ""}>{root ?? "root has not ended"}</span>
        {isGone && <span class="gone">no longer in memory</span>}
      </span>
      <span class="mono number service-count" title={services.join(", ")}>
        {countText(services.length)}
      </span>
      <span class="mono number">{countText(spans)}</span>
      <span class="duration">
        <i class="meter" style={{ width: `${Math.max(1, share * 100)}%` }} />
        <span class="mono">{durationText(duration)}</span>
      </span>
      <span class="mono number">
        {errors > 0 && <span class="error-count">{countText(errors)}</span>}
      </span>
    </a>
  );
}
