import { useMemo, useState } from "preact/hooks";
import { goTo } from "../client/location.ts";
import { amountText, clockText, durationText } from "../model/format.ts";
import {
  changeCounts,
  compareTraces,
  type ComparedSpan,
  differencesOnly,
  MIN_DIFFERENCE_NANO,
  MIN_DIFFERENCE_SHARE,
} from "../model/trace-comparison.ts";
import type { TraceTree } from "../model/trace-tree.ts";
import { useKeys } from "../parts/keys.ts";
import { ServiceName } from "../parts/service-name.tsx";
import { VirtualList } from "../parts/virtual-list.tsx";
import { useTrace } from "../trace/trace-view.tsx";
import { ComparedRow } from "./compared-row.tsx";

interface CompareProps {
  readonly firstId: string;
  readonly secondId: string;
}

/** Compares two traces: what the second one has that is new, missing or slower. */
export function CompareView({ firstId, secondId }: CompareProps) {
  const [first, second] = [useTrace(firstId), useTrace(secondId)];
  const mistakes = [first.mistake, second.mistake].filter((mistake) => mistake !== undefined);
  useKeys({ Escape: () => goTo(`/traces/${secondId}`) });
  return (
    <main class="compare">
      {mistakes.map((mistake, at) => (
        <p key={at} role="alert">
          {mistake}
        </p>
      ))}
      {first.tree !== undefined && second.tree !== undefined && (
        <Comparison ids={{ firstId, secondId }} first={first.tree} second={second.tree} />
      )}
    </main>
  );
}

interface ComparisonProps {
  readonly ids: CompareProps;
  readonly first: TraceTree;
  readonly second: TraceTree;
}

function Comparison({ ids, first, second }: ComparisonProps) {
  const [isBrief, setBrief] = useState(false);
  const [index, select] = useState(-1);
  const all = useMemo(() => compareTraces(first, second), [first, second]);
  const shown = useMemo(() => (isBrief ? differencesOnly(all) : all), [all, isBrief]);
  const move = (step: number): void =>
    select(Math.min(shown.length - 1, Math.max(0, index + step)));
  const toggle = (): void => {
    select(-1);
    setBrief(!isBrief);
  };
  useKeys({ j: () => move(1), k: () => move(-1), d: toggle });
  return (
    <>
      <header class="heading">
        <h1>Compare</h1>
        <Sides ids={ids} first={first} second={second} />
        <Counts all={all} />
        <Actions ids={ids} isBrief={isBrief} toggle={toggle} />
      </header>
      <Head />
      {shown.length === 0 ? (
        <p class="none">The traces do not differ.</p>
      ) : (
        <ComparedList ids={ids} shown={shown} index={index} select={select} />
      )}
    </>
  );
}

interface ActionsProps {
  readonly ids: CompareProps;
  readonly isBrief: boolean;
  readonly toggle: () => void;
}

function Actions({ ids, isBrief, toggle }: ActionsProps) {
  const swap = (): void => goTo(`/compare/${ids.secondId}/${ids.firstId}`, true);
  return (
    <div class="actions">
      <button type="button" aria-pressed={isBrief} onClick={toggle}>
        Differences only
      </button>
      <button type="button" onClick={swap}>
        Swap
      </button>
    </div>
  );
}

function Head() {
  return (
    <div class="compared-row head" aria-hidden="true">
      <span>Span</span>
      <span class="number">First</span>
      <span class="number">Second</span>
      <span>Change</span>
    </div>
  );
}

function Sides({ ids, first, second }: ComparisonProps) {
  const sides = [
    { label: "First", id: ids.firstId, tree: first },
    { label: "Second", id: ids.secondId, tree: second },
  ];
  return (
    <ul class="sides">
      {sides.map(({ label, id, tree }) => (
        <li key={label}>
          <span class="faint">{label}</span> <ServiceName service={tree.spans[0]!.service} />{" "}
          <a href={`/traces/${id}`}>{tree.spans[0]!.span.name}</a>{" "}
          <span class="mono">{durationText(tree.durationNano)}</span>{" "}
          <span>{amountText(tree.spans.length, "span")}</span>{" "}
          <span class="mono faint">{clockText(tree.spans[0]!.start ?? null)}</span>{" "}
          <code>{id}</code>
        </li>
      ))}
    </ul>
  );
}

function Counts({ all }: { all: readonly ComparedSpan[] }) {
  const counts = Object.entries(changeCounts(all));
  const [share, least] = [`${MIN_DIFFERENCE_SHARE * 100} %`, durationText(MIN_DIFFERENCE_NANO)];
  return (
    <p class="facts" role="status" title={`Slower and faster: by ${share} and ${least} at least`}>
      {counts.map(([change, count]) => (
        <span key={change} class={`change is-${change}`}>
          {count} {change}
        </span>
      ))}
    </p>
  );
}

interface ComparedListProps {
  readonly ids: CompareProps;
  readonly shown: readonly ComparedSpan[];
  readonly index: number;
  readonly select: (index: number) => void;
}

function ComparedList({ ids, shown, index, select }: ComparedListProps) {
  return (
    <VirtualList
      items={shown}
      rowHeight={28}
      label="Compared spans"
      role="tree"
      selected={index}
      activeId={index >= 0 ? `compared-${index}` : undefined}
      renderRow={(each, at) => (
        <ComparedRow
          key={at}
          id={`compared-${at}`}
          each={each}
          ids={ids}
          isSelected={at === index}
          select={() => select(at)}
        />
      )}
    />
  );
}
