// The tests read topics back with the client that the program sends with; `kafka-tools.d.ts`
// declares what is used of it, because its own declarations do not pass the checks of types.
export { Admin, Consumer, createRecordsBatch } from "@platformatic/kafka";
