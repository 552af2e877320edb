import { useState } from "preact/hooks";

/** A button that copies a text, and says so for a moment. */
export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1200);
  };
  return (
    <button type="button" class="quiet" onClick={() => void copy()}>
      {isCopied ? "Copied" : label}
    </button>
  );
}
