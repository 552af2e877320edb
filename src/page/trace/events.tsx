import { durationText } from "../model/format.ts";
import { attributeText, type OtlpEvent } from "../model/otlp.ts";
import { DroppedCount } from "../parts/dropped-count.tsx";
import { Attributes } from "./attributes.tsx";

interface EventsProps {
  readonly events: readonly OtlpEvent[];
  /** The start of the span. */
  readonly start: bigint | undefined;
  readonly search: string;
}

/** The events of a span; exceptions with their stack traces. */
export function Events({ events, start, search }: EventsProps) {
  if (events.length === 0) return null;
  return (
    <section>
      <h3>
        Events <span class="faint">{events.length}</span>
      </h3>
      {events.map((event, at) => (
        <div key={at} class={isException(event) ? "event-box is-error" : "event-box"}>
          <p>
            <b>{event.name || "(no name)"}</b>{" "}
            <span class="mono faint">{offsetText(event, start)}</span>
          </p>
          {isException(event) ? (
            <Exception event={event} search={search} />
          ) : (
            <Attributes attributes={event.attributes} search={search} />
          )}
          <DroppedCount
            count={event.droppedAttributesCount}
            noun="attribute"
            where="of this event"
          />
        </div>
      ))}
    </section>
  );
}

const SHOWN_APART = new Set(["exception.type", "exception.message", "exception.stacktrace"]);

function Exception({ event, search }: { event: OtlpEvent; search: string }) {
  const { attributes = [] } = event;
  const [type, message, stack] = [...SHOWN_APART].map((key) => attributeText(attributes, key));
  const others = attributes.filter(({ key = "" }) => !SHOWN_APART.has(key));
  return (
    <>
      <p class="exception">{[type, message].filter(Boolean).join(": ")}</p>
      {stack !== "" && (
        <pre class="stack" tabIndex={0} aria-label="Stack trace">
          {stack}
        </pre>
      )}
      <Attributes attributes={others} search={search} />
    </>
  );
}

function isException({ name }: OtlpEvent): boolean {
  return name === "exception";
}

function offsetText({ timeUnixNano }: OtlpEvent, start: bigint | undefined): string {
  if (timeUnixNano === undefined || timeUnixNano === "0" || start === undefined) return "";
  return `+${durationText(Number(BigInt(timeUnixNano) - start))}`;
}
