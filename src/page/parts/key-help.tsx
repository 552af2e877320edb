import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

export const isKeyHelpShown = signal(false);

const KEYS = [
  ["j  ↓", "Next trace, span or operation"],
  ["k  ↑", "Previous trace, span or operation"],
  ["l  →", "Open the trace; expand the span"],
  ["h  ←", "Collapse the span; go to its parent"],
  ["Enter", "Open"],
  ["/", "Search; find in the trace, then Enter for the next match"],
  ["c", "Show the critical path"],
  ["x", "Choose the trace for a comparison"],
  ["d", "Show only the differences of a comparison"],
  ["p", "Pause and resume"],
  ["u", "Upload files of spans"],
  ["1 … 4", "Show another view"],
  ["Esc", "Close, or go back to the traces"],
  ["?", "Show these keys"],
] as const;

/** Lists the keys. */
export function KeyHelp() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isKeyHelpShown.value) dialog.current?.showModal();
  }, [isKeyHelpShown.value]);
  if (!isKeyHelpShown.value) return null;
  const close = (): void => {
    isKeyHelpShown.value = false;
  };
  return (
    <dialog ref={dialog} aria-labelledby="keys-title" onClose={close}>
      <h2 id="keys-title">Keys</h2>
      <dl class="keys">
        {KEYS.map(([key, meaning]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <button type="button" class="primary" onClick={() => dialog.current?.close()}>
        Close
      </button>
    </dialog>
  );
}
