import { useLayoutEffect, useRef } from "preact/hooks";

/** Maps the name of a key to what it does. */
export type Keys = Readonly<Record<string, () => void>>;

/** Arrows mean the letters of the same direction. */
const LETTERS: Readonly<Record<string, string>> = {
  ArrowDown: "j",
  ArrowLeft: "h",
  ArrowRight: "l",
  ArrowUp: "k",
};

/** Handles keys while the component is shown, except in fields and with modifiers. */
export function useKeys(keys: Keys): void {
  // A key may follow another one before the effects of its rendering have run.
  const latest = useRef(keys);
  latest.current = keys;
  // Before the next event, so that no key is lost while the view is new.
  useLayoutEffect(() => {
    const handle = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (isField(event.target) || document.querySelector("dialog[open]") !== null) return;
      const action = latest.current[LETTERS[event.key] ?? event.key];
      if (action === undefined) return;
      event.preventDefault();
      action();
    };
    document.addEventListener("keydown", handle);
    return () => document.removeEventListener("keydown", handle);
  }, []);
}

function isField(target: EventTarget | null): boolean {
  return target instanceof Element && target.matches("input, select, textarea");
}
