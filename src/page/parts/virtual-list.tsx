import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

/** How many rows above and below those in view exist, so that fast scrolling shows no gap. */
const SPARE_ROWS = 12;

interface VirtualListProps<Item> {
  readonly items: readonly Item[];
  /** All rows have this height in pixels, so no row needs to be measured. */
  readonly rowHeight: number;
  readonly label: string;
  readonly role: "grid" | "tree" | "listbox";
  /** The row to keep in view; -1 for none. */
  readonly selected: number;
  readonly renderRow: (item: Item, index: number) => ComponentChildren;
  readonly activeId?: string | undefined;
  readonly onScroll?: (range: { first: number; last: number }) => void;
}

/** Shows a long list by creating only the rows in view. */
export function VirtualList<Item>(props: VirtualListProps<Item>) {
  const box = useRef<HTMLDivElement>(null);
  const { items, rowHeight, selected, renderRow } = props;
  const range = useRange(box, rowHeight, items.length);
  useEffect(() => {
    if (selected >= 0) scrollIntoView(box.current!, selected * rowHeight, rowHeight);
  }, [selected]);
  useEffect(() => props.onScroll?.(range), [range.first, range.last, items.length]);
  const from = Math.max(0, range.first - SPARE_ROWS);
  const rows = items.slice(from, range.last + SPARE_ROWS);
  return (
    <div
      ref={box}
      class="scroll"
      role={props.role}
      aria-label={props.label}
      tabIndex={0}
      aria-activedescendant={props.activeId}
    >
      <div role="presentation" class="extent" style={{ height: `${items.length * rowHeight}px` }}>
        <div
          role="presentation"
          class="rows"
          style={{ transform: `translateY(${from * rowHeight}px)` }}
        >
          {rows.map((item, index) => renderRow(item, from + index))}
        </div>
      </div>
    </div>
  );
}

function useRange(box: RefObject<HTMLDivElement | null>, rowHeight: number, count: number) {
  const [range, setRange] = useState({ first: 0, last: 60 });
  useEffect(() => {
    const element = box.current!;
    const measure = (): void => {
      const first = Math.floor(element.scrollTop / rowHeight);
      const last = first + Math.ceil(element.clientHeight / rowHeight) + 1;
      setRange((old) => (old.first === first && old.last === last ? old : { first, last }));
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, [rowHeight, count === 0]);
  return range;
}

function scrollIntoView(box: HTMLElement, top: number, height: number): void {
  const bottom = top + height;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (bottom > box.scrollTop + box.clientHeight) box.scrollTop = bottom - box.clientHeight;
}
