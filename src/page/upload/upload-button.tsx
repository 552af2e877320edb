import { useEffect, useRef, useState } from "preact/hooks";
import { useKeys } from "../parts/keys.ts";
import { upload } from "./uploads.ts";

/** Uploads the files that are chosen with it, or dropped anywhere on the page. */
export function UploadButton() {
  const field = useRef<HTMLInputElement>(null);
  const isOver = useDroppedFiles();
  const choose = (): void => field.current?.click();
  useKeys({ u: choose });
  return (
    <>
      <button type="button" class="quiet upload-button" onClick={choose}>
        <span>Upload</span>
      </button>
      <input
        ref={field}
        type="file"
        hidden
        multiple
        aria-label="Files of spans"
        onChange={({ currentTarget }) => {
          upload(currentTarget.files ?? []);
          // So that the same file can be chosen again.
          currentTarget.value = "";
        }}
      />
      {isOver && <div class="drop">Drop files of spans to upload them</div>}
    </>
  );
}

/** Uploads dropped files. Returns whether files are being dragged over the page. */
function useDroppedFiles(): boolean {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    const ending = new AbortController();
    const listen = (type: "dragover" | "dragleave" | "drop", act: (event: DragEvent) => void) =>
      document.addEventListener(type, act, { signal: ending.signal });
    listen("dragover", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setOver(true);
    });
    // The page itself is left, not one of its elements for another.
    listen("dragleave", ({ relatedTarget }) => relatedTarget === null && setOver(false));
    listen("drop", (event) => {
      event.preventDefault();
      setOver(false);
      upload(event.dataTransfer?.files ?? []);
    });
    return () => ending.abort();
  }, []);
  return isOver;
}
