import { expect, test } from "bun:test";
import {
  chooseMediaType,
  SPAN_TYPES,
  TAIL_TYPES,
} from "../../../src/adapters/read-api/media-type.ts";

const JSON_TYPE = "application/json";
const PROTOBUF = "application/x-protobuf";
const NDJSON = "application/x-ndjson";
const EVENTS = "text/event-stream";

test.each<{ accept: string | null; chosen: string | undefined }>([
  { accept: null, chosen: JSON_TYPE },
  { accept: "", chosen: JSON_TYPE },
  { accept: " ", chosen: JSON_TYPE },
  { accept: "*/*", chosen: JSON_TYPE },
  { accept: "application/*", chosen: JSON_TYPE },
  { accept: "application/json", chosen: JSON_TYPE },
  { accept: "application/json; charset=utf-8", chosen: JSON_TYPE },
  { accept: "application/x-protobuf", chosen: PROTOBUF },
  { accept: "Application/X-Protobuf", chosen: PROTOBUF },
  { accept: "application/json, application/x-protobuf", chosen: JSON_TYPE },
  { accept: "application/x-protobuf, application/json", chosen: JSON_TYPE },
  { accept: "application/json;q=0.5, application/x-protobuf", chosen: PROTOBUF },
  { accept: "application/json ; Q=0.9 , application/x-protobuf;q=0.91", chosen: PROTOBUF },
  { accept: "application/x-protobuf, */*", chosen: PROTOBUF },
  { accept: "*/*, application/x-protobuf;q=0.1", chosen: JSON_TYPE },
  { accept: "application/json;q=0, */*", chosen: PROTOBUF },
  { accept: "*/*;q=0, application/x-protobuf;q=0.001", chosen: PROTOBUF },
  { accept: "text/html, application/*;q=0.2", chosen: JSON_TYPE },
  { accept: "text/html,*/*;q=0.8", chosen: JSON_TYPE },
  { accept: "application/x-ndjson", chosen: NDJSON },
  { accept: "application/json;q=0, application/*;q=0.5, application/x-ndjson", chosen: NDJSON },
  { accept: "text/*", chosen: undefined },
  { accept: "text/html", chosen: undefined },
  { accept: "*/*;q=0", chosen: undefined },
  { accept: "application/json;q=0", chosen: undefined },
  { accept: "application/json;q=high", chosen: undefined },
  { accept: "application/json;q=1.1", chosen: undefined },
  { accept: ",;,q=1", chosen: undefined },
])("Accept: $accept selects $chosen", ({ accept, chosen }) => {
  expect(chooseMediaType(accept, SPAN_TYPES) === chosen).toBe(true);
});

test.each<{ accept: string | null; chosen: string | undefined }>([
  { accept: null, chosen: NDJSON },
  { accept: "*/*", chosen: NDJSON },
  { accept: EVENTS, chosen: EVENTS },
  { accept: "text/*", chosen: EVENTS },
  { accept: "application/x-ndjson, text/event-stream;q=0.9", chosen: NDJSON },
  { accept: "text/event-stream, */*", chosen: EVENTS },
  { accept: "application/json", chosen: undefined },
])("Accept: $accept selects $chosen for a tail", ({ accept, chosen }) => {
  expect(chooseMediaType(accept, TAIL_TYPES) === chosen).toBe(true);
});
