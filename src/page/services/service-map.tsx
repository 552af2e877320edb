import type { RefObject } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { amountText, countText, percentText } from "../model/format.ts";
import { type Call, type ServiceGraph, callsText, tracesUrl } from "../model/service-graph.ts";
import { type MapCall, type MapNode, nodeTowards, serviceMap } from "../model/service-map.ts";
import { ServiceName } from "../parts/service-name.tsx";

/** Lines of more calls than these are labelled only at the service in focus. */
const MAX_LABELLED_CALLS = 12;

/** A map of the calls. Its services are links; arrows move from one to the next. */
export function ServiceMap({ graph }: { graph: ServiceGraph }) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const map = useMemo(() => serviceMap(graph, width), [graph, width]);
  const { tabStop, shown, handlersOf, move } = useFocus(map.nodes, box);
  return (
    <div class="map-box" ref={box} onKeyDown={move}>
      <div class="map" style={{ width: `${map.width}px`, height: `${map.height}px` }}>
        <Lines calls={map.calls} focused={shown} width={map.width} height={map.height} />
        <ul aria-label="Services">
          {map.nodes.map((node) => (
            <Node
              key={node.service}
              node={node}
              calls={graph.calls}
              isTabStop={node.service === tabStop}
              isFaint={shown !== undefined && !isNear(node.service, shown, graph.calls)}
              handlers={handlersOf(node.service)}
            />
          ))}
        </ul>
      </div>
      {map.hiddenCount > 0 && (
        <p class="faint small">
          {amountText(map.hiddenCount, "service")} with fewer spans are only in the table.
        </p>
      )}
    </div>
  );
}

/** The service under the pointer, or else the one in focus, and the keys that move the focus. */
function useFocus(nodes: readonly MapNode[], box: RefObject<HTMLElement | null>) {
  const [focused, setFocused] = useState<string>();
  const [hovered, setHovered] = useState<string>();
  // Where Tab leads, so that the map is one stop among others.
  const [reached, setReached] = useState<string>();
  const isShown = (wanted?: string): boolean => nodes.some(({ service }) => service === wanted);
  const move = (event: KeyboardEvent): void => {
    const target = nodeTowards(nodes, focused ?? "", event.key);
    if (target === undefined) return;
    event.preventDefault();
    const links = box.current!.querySelectorAll<HTMLElement>(".map-node");
    links[nodes.indexOf(target)]!.focus();
  };
  const handlersOf = (service: string): NodeHandlers => ({
    onFocus: () => {
      setFocused(service);
      setReached(service);
    },
    onBlur: () => setFocused(undefined),
    onPointerEnter: () => setHovered(service),
    onPointerLeave: () => setHovered(undefined),
  });
  const tabStop = isShown(reached) ? reached : nodes[0]?.service;
  // A service that leaves the map under the pointer gets no event.
  const shown = [hovered, focused].find((each) => isShown(each));
  return { tabStop, shown, handlersOf, move };
}

interface NodeHandlers {
  readonly onFocus: () => void;
  readonly onBlur: () => void;
  readonly onPointerEnter: () => void;
  readonly onPointerLeave: () => void;
}

function isNear(service: string, focused: string, calls: readonly Call[]): boolean {
  const isBetween = ({ from, to }: Call): boolean =>
    (from === focused && to === service) || (to === focused && from === service);
  return service === focused || calls.some(isBetween);
}

/** Returns the width of an element, which follows the window. */
function useWidth(box: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const measure = (): void => setWidth(box.current!.clientWidth);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);
  return width;
}

interface LinesProps {
  readonly calls: readonly MapCall[];
  readonly focused: string | undefined;
  readonly width: number;
  readonly height: number;
}

function Lines({ calls, focused, width, height }: LinesProps) {
  const isLabelled = calls.length <= MAX_LABELLED_CALLS;
  return (
    <svg viewBox={`0 0 ${width} ${height}`} width={width} height={height} aria-hidden="true">
      {calls.map(({ call, line, head, label }) => {
        const isOfFocused = call.from === focused || call.to === focused;
        const state = focused === undefined ? "" : isOfFocused ? " is-near" : " is-faint";
        return (
          <g key={`${call.from}\n${call.to}`} class={`call${state}${kindOf(call)}`}>
            <path class="line" d={line} style={{ strokeWidth: `${thickness(call)}px` }} />
            <path class="head" d={head} />
            {(isOfFocused || (isLabelled && focused === undefined)) && (
              <text x={label.x} y={label.y}>
                {labelOf(call)}
              </text>
            )}
          </g>
        );
      })}
    </svg>
  );
}

/** Calls are solid lines, links alone are dashed; many errors are red. */
function kindOf({ calls, errors }: Call): string {
  return `${calls === 0 ? " is-link" : ""}${errors * 20 >= Math.max(1, calls) ? " is-error" : ""}`;
}

function thickness({ calls, links }: Call): number {
  return Math.min(5, 1.25 + Math.log10(Math.max(1, calls, links)) * 0.75);
}

function labelOf({ calls, errors, links }: Call): string {
  const parts = [
    calls > 0 && countText(calls),
    errors > 0 && `${percentText(errors / calls)} errors`,
    links > 0 && amountText(links, "link"),
  ];
  return parts.filter((part) => part !== false).join(", ");
}

interface NodeProps {
  readonly node: MapNode;
  readonly calls: readonly Call[];
  /** Whether Tab leads to it; from there, arrows lead to the others. */
  readonly isTabStop: boolean;
  readonly isFaint: boolean;
  readonly handlers: NodeHandlers;
}

function Node({ node, calls, isTabStop, isFaint, handlers }: NodeProps) {
  const { service, spans, errors, x, y, width, height } = node;
  return (
    <li>
      <a
        class={isFaint ? "map-node is-faint" : "map-node"}
        href={tracesUrl(service)}
        tabIndex={isTabStop ? 0 : -1}
        title={service}
        style={{ left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` }}
        {...handlers}
      >
        <ServiceName service={service} />
        <span class="map-counts small mono">
          <span>{amountText(spans, "span")}</span>
          {errors > 0 && (
            <b class="error-count">
              {percentText(errors / spans)}
              <span class="unseen"> errors</span>
            </b>
          )}
        </span>
        <span class="unseen">{callsText(service, calls)}</span>
      </a>
    </li>
  );
}
