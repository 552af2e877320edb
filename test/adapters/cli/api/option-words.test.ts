import { expect, test } from "bun:test";
import { inOptions, optionText } from "../../../../src/adapters/cli/api/option-words.ts";

test.each([
  {
    parameter: "trace_id",
    detail: 'trace_id is "x"; it must be 32 hex digits',
    says: '--trace-id is "x"; it must be 32 hex digits',
  },
  {
    parameter: "count",
    detail: 'count is "0"; it must be a whole number from 1 to 9, or 0 together with absent=true',
    says: '--count is "0"; it must be a whole number from 1 to 9, or 0 together with --absent',
  },
  {
    parameter: "quiet",
    detail: "quiet has an effect only with trace_complete=true",
    says: "--quiet has an effect only with --trace-complete",
  },
  {
    parameter: "trace_complete",
    detail: "absent=true and trace_complete=true exclude each other; omit one of them",
    says: "--absent and --trace-complete exclude each other; omit one of them",
  },
  {
    parameter: "after",
    detail: 'after is "9", but the newest span is number 5. Start again with after=0',
    says: '--after is "9", but the newest span is number 5. Start again with --after 0',
  },
  {
    parameter: undefined,
    detail: "ask for a name, an attribute or a trace_id that fewer spans have",
    says: "ask for a name, an attribute or a --trace-id that fewer spans have",
  },
  {
    parameter: "name",
    detail: 'name is "trace_id"count=5"; it must be the name of a span',
    says: '--name is "trace_id"count=5"; it must be the name of a span',
  },
  {
    parameter: undefined,
    detail: "known paths: /api/traces, /api/traces/{trace_id}",
    says: "known paths: /api/traces, /api/traces/{trace_id}",
  },
  { parameter: "Host", detail: "Host must be a name", says: "Host must be a name" },
  { parameter: "limit", detail: "the limit is reached", says: "the limit is reached" },
  { parameter: undefined, detail: "the server is stopping", says: "the server is stopping" },
])("a message of the API names options: $detail", ({ parameter, detail, says }) => {
  expect(inOptions({ detail, parameter })).toBe(says);
});

test.each([
  { text: "status=error", says: "--status error" },
  { text: "trace_id=0af7", says: "--trace-id 0af7" },
  { text: "name=GET /", says: '--name "GET /"' },
  { text: "attribute=k=v", says: "--attribute k=v" },
  { text: "name=", says: '--name ""' },
  { text: "other=x", says: "other=x" },
  { text: "a", says: "a" },
])("the condition $text is displayed as the option $says", ({ text, says }) => {
  expect(optionText(text)).toBe(says);
});
