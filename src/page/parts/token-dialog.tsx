import { useEffect, useRef } from "preact/hooks";
import { needsToken, useToken } from "../client/api.ts";

/** Asks for an API token, which the page keeps until the tab is closed. */
export function TokenDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (needsToken.value) dialog.current?.showModal();
  }, [needsToken.value]);
  if (!needsToken.value) return null;
  const submit = (event: Event): void => {
    event.preventDefault();
    useToken(field.current!.value.trim());
  };
  return (
    <dialog ref={dialog} aria-labelledby="token-title">
      <form onSubmit={submit}>
        <h2 id="token-title">This spanring needs a token</h2>
        <p>Enter one of its API tokens. It is kept until you close this tab.</p>
        <input ref={field} type="password" aria-label="API token" autocomplete="off" required />
        <button type="submit" class="primary">
          Continue
        </button>
      </form>
    </dialog>
  );
}
