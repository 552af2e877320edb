import { useEffect, useRef } from "preact/hooks";
import { colourOf } from "../model/format.ts";
import type { TraceTree, TreeSpan } from "../model/trace-tree.ts";

const HEIGHT = 56;

interface MinimapProps {
  readonly tree: TraceTree;
  readonly shown: readonly TreeSpan[];
  /** The rows in view. */
  readonly range: { readonly first: number; readonly last: number };
}

/** The whole trace in a small picture. A click scrolls to that place. */
export function Minimap({ tree, shown, range }: MinimapProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => draw(canvas.current!, tree, shown), [tree, shown]);
  const scroll = (event: MouseEvent): void => {
    const box = canvas.current!.getBoundingClientRect();
    const list = canvas.current!.closest(".waterfall")!.querySelector(".scroll")!;
    const share = (event.clientY - box.top) / box.height;
    list.scrollTop = share * list.scrollHeight - list.clientHeight / 2;
  };
  const top = (range.first / shown.length) * 100;
  const height = Math.max(3, ((range.last - range.first) / shown.length) * 100);
  return (
    <div class="minimap" aria-hidden="true" onClick={scroll}>
      <canvas ref={canvas} />
      <i
        style={{
          top: `${Math.min(top, 97)}%`,
          height: `${Math.min(height, 100 - Math.min(top, 97))}%`,
        }}
      />
    </div>
  );
}

function draw(canvas: HTMLCanvasElement, tree: TraceTree, shown: readonly TreeSpan[]): void {
  const width = Math.round(canvas.clientWidth * devicePixelRatio);
  const height = Math.round(HEIGHT * devicePixelRatio);
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d")!;
  const styles = getComputedStyle(canvas);
  const colours = Array.from({ length: 12 }, (_, at) => styles.getPropertyValue(`--c${at}`));
  const error = styles.getPropertyValue("--error");
  const line = Math.max(1, height / shown.length);
  shown.forEach((each, at) => {
    if (each.start === undefined) return;
    const left = (Number(each.start - tree.start) / tree.durationNano) * width;
    const right = (Number((each.end ?? each.start) - tree.start) / tree.durationNano) * width;
    context.fillStyle = each.isError ? error : colours[colourOf(each.service)]!;
    context.fillRect(left, (at / shown.length) * height, Math.max(1, right - left), line);
  });
}
