import { useState } from "preact/hooks";
import { ageText, rateText } from "../model/format.ts";
import {
  type Flow,
  FLOWS,
  linePath,
  MEAN_SECONDS,
  type Rates,
  ratesAt,
  ratesOf,
  scaleEnd,
  type StatsHistory,
  WINDOW_SECONDS,
} from "../model/stats-history.ts";

const STEP_SECONDS = 10;
const MINUTES = [5, 4, 3, 2, 1, 0] as const;

/** Shows the spans per second as lines, and their values at a chosen time. */
export function RateChart({ history }: { history: StatsHistory }) {
  const [age, setAge] = useState<number>();
  const rates = ratesOf(history);
  const isForwarding = history.latest?.forward !== undefined;
  const flows = FLOWS.filter((flow) => flow !== "delivered" || isForwarding);
  const chosen = ratesAt(rates, age ?? 0);
  return (
    <section class="rates" aria-labelledby="rates-title">
      <div class="rates-heading">
        <h2 id="rates-title">Spans per second</h2>
        <p class="faint">{age === undefined ? "now" : `${ageText(chosen?.ageSeconds ?? 0)} ago`}</p>
        <Legend flows={flows} rates={chosen} />
      </div>
      <Plot
        flows={flows}
        rates={rates}
        chosen={age === undefined ? undefined : chosen}
        onChoose={setAge}
      />
      <p class="faint">
        The mean of {MEAN_SECONDS} s, since you opened this page.
        {!isForwarding && " Nothing is delivered, because forwarding is off."}
      </p>
    </section>
  );
}

function Legend({ flows, rates }: { flows: readonly Flow[]; rates: Rates | undefined }) {
  return (
    <dl class="legend">
      {flows.map((flow) => (
        <div key={flow} class={`flow-${flow}`}>
          <dt>
            <svg viewBox="0 0 20 4" aria-hidden="true">
              <path d="M0 2H20" />
            </svg>
            {flow}
          </dt>
          <dd class="mono">{rateText(rates?.[flow] ?? null)}</dd>
        </div>
      ))}
    </dl>
  );
}

interface PlotProps {
  readonly flows: readonly Flow[];
  readonly rates: readonly Rates[];
  readonly chosen: Rates | undefined;
  readonly onChoose: (ageSeconds: number | undefined) => void;
}

function Plot({ flows, rates, chosen, onChoose }: PlotProps) {
  const end = scaleEnd(Math.max(0, ...rates.flatMap((each) => flows.map((flow) => each[flow]))));
  const age = Math.round(chosen?.ageSeconds ?? 0);
  return (
    <div class="plot">
      <span class="plot-end mono">{rateText(end)}</span>
      <span class="plot-end is-half mono">{rateText(end / 2)}</span>
      <div
        class="plot-lines"
        role="slider"
        tabIndex={0}
        aria-label="Spans per second, at a time"
        aria-valuemin={-WINDOW_SECONDS}
        aria-valuemax={0}
        aria-valuenow={-age}
        aria-valuetext={valueText(flows, chosen ?? rates.at(-1))}
        {...choiceHandlers(age, onChoose)}
      >
        <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
          <path class="grid" d="M0 0H100M0 50H100M20 0V100M40 0V100M60 0V100M80 0V100" />
          {flows.map((flow) => (
            <path key={flow} class={`flow-${flow}`} d={linePath(rates, flow, end)} />
          ))}
        </svg>
        {chosen !== undefined && (
          <i style={{ left: `${100 - (chosen.ageSeconds / WINDOW_SECONDS) * 100}%` }} />
        )}
      </div>
      <div class="plot-axis faint" aria-hidden="true">
        {MINUTES.map((minutes) => (
          <span key={minutes}>{minutes === 0 ? "now" : `${minutes} min`}</span>
        ))}
      </div>
    </div>
  );
}

function valueText(flows: readonly Flow[], rates: Rates | undefined): string {
  if (rates === undefined) return "not known yet";
  const values = flows.map((flow) => `${flow} ${rateText(rates[flow])}`);
  return `${ageText(rates.ageSeconds)} ago: ${values.join(", ")}`;
}

/** Returns the handlers with which the pointer or the arrows choose a time. */
function choiceHandlers(age: number, onChoose: (ageSeconds: number | undefined) => void) {
  const steps: Readonly<Record<string, number | undefined>> = {
    ArrowLeft: age + STEP_SECONDS,
    ArrowDown: age + STEP_SECONDS,
    ArrowRight: age - STEP_SECONDS,
    ArrowUp: age - STEP_SECONDS,
    Home: WINDOW_SECONDS,
    End: 0,
  };
  return {
    onPointerMove: (event: PointerEvent & { currentTarget: HTMLElement }): void => {
      const { left, width } = event.currentTarget.getBoundingClientRect();
      onChoose((1 - (event.clientX - left) / width) * WINDOW_SECONDS);
    },
    onPointerLeave: (): void => onChoose(undefined),
    onBlur: (): void => onChoose(undefined),
    onKeyDown: (event: KeyboardEvent): void => {
      const target = steps[event.key];
      if (target === undefined) return;
      event.preventDefault();
      onChoose(target <= 0 ? undefined : Math.min(WINDOW_SECONDS, target));
    },
  };
}
