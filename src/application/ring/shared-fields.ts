import type { FieldsOf, SpanPlace } from "../../domain/query/span-matcher.ts";
import { createSpanFields, readSpanFields } from "../../domain/wire/span-fields.ts";

const UNKNOWN = -1;

/** The fields of one span after the other, read once, however many ask for them. */
export class SharedFields {
  private readonly fields = createSpanFields();
  private spanOffset = UNKNOWN;

  /** Of the span at a place; right until it is asked for those of another. */
  readonly of: FieldsOf = (place) => {
    if (place.spanOffset !== this.spanOffset) this.read(place);
    return this.fields;
  };

  /** To be called when the bytes may have changed since the last call. */
  reset(): void {
    this.spanOffset = UNKNOWN;
  }

  private read({ bytes, spanOffset, spanLength }: SpanPlace): void {
    readSpanFields(this.fields, bytes, spanOffset, spanLength);
    this.spanOffset = spanOffset;
  }
}
