import { percentText } from "../model/format.ts";

interface GaugeProps {
  readonly label: string;
  readonly value: number;
  readonly max: number;
  readonly text: string;
  readonly of: string;
}

/** Shows how much of a capacity is used. */
export function Gauge({ label, value, max, text, of }: GaugeProps) {
  const share = max === 0 ? 0 : value / max;
  return (
    <div
      class="gauge"
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={max}
      aria-valuenow={value}
      aria-valuetext={`${text} ${of}, ${percentText(share)}`}
    >
      <p>
        <span class="faint">{label}</span>
        <b class="mono">{text}</b>
        <span class="faint">{of}</span>
        <span class="mono share">{percentText(share)}</span>
      </p>
      <div class="gauge-track">
        <i style={{ width: `${Math.min(100, share * 100)}%` }} />
      </div>
    </div>
  );
}
