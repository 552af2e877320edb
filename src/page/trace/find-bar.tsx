import { useRef } from "preact/hooks";
import { countText } from "../model/format.ts";
import { nextMatch } from "../model/find-spans.ts";
import { useKeys } from "../parts/keys.ts";

interface FindBarProps {
  readonly text: string;
  readonly setText: (text: string) => void;
  /** The spans that have the text. */
  readonly matches: readonly string[];
  readonly selected: string | undefined;
  readonly select: (spanId: string) => void;
}

/** Finds spans of the trace: Enter selects the next one, Shift with Enter the one before. */
export function FindBar({ text, setText, matches, selected, select }: FindBarProps) {
  const field = useRef<HTMLInputElement>(null);
  useKeys({ "/": () => field.current?.focus() });
  const move = (step: 1 | -1): void => {
    const match = nextMatch(matches, selected, step);
    if (match !== undefined) select(match);
  };
  return (
    <div class="find-bar">
      <input
        ref={field}
        type="search"
        aria-label="Find in this trace"
        placeholder="Find in this trace"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") move(event.shiftKey ? -1 : 1);
          if (event.key !== "Escape") return;
          setText("");
          field.current?.blur();
        }}
      />
      {text !== "" && (
        <span class="mono faint" role="status">
          {placeText(matches, selected)}
        </span>
      )}
    </div>
  );
}

function placeText(matches: readonly string[], selected: string | undefined): string {
  const at = selected === undefined ? -1 : matches.indexOf(selected);
  const place = at < 0 ? "" : `${countText(at + 1)} of `;
  return matches.length === 0 ? "not found" : `${place}${countText(matches.length)}`;
}
