import type { TraceSpan } from "../../../src/domain/trace-span.ts";

/** Returns a valid span in which everything else is empty. */
export function plainSpan(): TraceSpan {
  const noAttributes = { attributes: [], droppedAttributesCount: 0 };
  return {
    traceId: "0102030405060708090a0b0c0d0e0f10",
    spanId: "1112131415161718",
    traceState: "",
    flags: 0,
    name: "",
    kind: 0,
    startTimeUnixNano: 0n,
    endTimeUnixNano: 0n,
    ...noAttributes,
    events: [],
    droppedEventsCount: 0,
    links: [],
    droppedLinksCount: 0,
    status: { code: 0, message: "" },
    resource: { ...noAttributes, entityRefs: [], schemaUrl: "" },
    scope: { name: "", version: "", ...noAttributes, schemaUrl: "" },
  };
}
