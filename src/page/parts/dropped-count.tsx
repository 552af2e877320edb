import { amountText } from "../model/format.ts";

interface DroppedCountProps {
  readonly count?: number | undefined;
  /** In the singular. */
  readonly noun: string;
  /** Where they are missing, such as `of the resource`, unless it is the span. */
  readonly where?: string;
}

/** Says how many of something the SDK of the sender has left out; nothing if none. */
export function DroppedCount({ count = 0, noun, where = "" }: DroppedCountProps) {
  if (count === 0) return null;
  return (
    <p class="faint">{`The SDK dropped ${[amountText(count, noun), where].join(" ").trim()}.`}</p>
  );
}
