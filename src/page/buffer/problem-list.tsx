import { useState } from "preact/hooks";
import { countText, momentText } from "../model/format.ts";
import type { Problem } from "../model/stats.ts";

const FIRST_PROBLEMS = 8;

/** Lists what was refused or discarded, newest first, and what to do about it. */
export function ProblemList({ problems }: { problems: readonly Problem[] }) {
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? problems : problems.slice(0, FIRST_PROBLEMS);
  return (
    <section class="panel" aria-labelledby="problems-title">
      <h2 id="problems-title">Recent problems</h2>
      {problems.length === 0 && <p class="faint">None since the start.</p>}
      <ul class="problems">
        {shown.map((each) => (
          <ProblemItem key={[each.protocol, each.reason, each.address].join()} problem={each} />
        ))}
      </ul>
      {shown.length < problems.length && (
        <button type="button" onClick={() => setWhole(true)}>
          Show all {countText(problems.length)}
        </button>
      )}
    </section>
  );
}

function ProblemItem({ problem }: { problem: Problem }) {
  const { protocol, reason, address, count, last, detail, hint } = problem;
  return (
    <li class="event-box is-error">
      <p class="problem-title">
        <b>{reason.replaceAll("_", " ")}</b>
        <span class="mono">{countText(count)}×</span>
        <span class="faint">
          {protocol}
          {address !== undefined && ` from ${address}`}, last at {momentText(last)}
        </span>
      </p>
      {detail !== undefined && <p class="mono">{detail}</p>}
      <p>{hint}</p>
    </li>
  );
}
