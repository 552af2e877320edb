import { expect, test } from "bun:test";
import { lineOf, noSpans } from "../../../support/fakes/api-answers.ts";
import { type Answer, ndjson, stopFakeServersAfterEach } from "../../../support/fakes/fake-api.ts";
import { TRACE_ID } from "../../../support/requests/shown-spans.ts";
import { runAgainstFake } from "../../../support/running/run-against-fake.ts";

stopFakeServersAfterEach();

const TERMINAL = { columns: 80 };

const SPAN_ID = "b7ad6b7169203331";

const oneSpan: Answer = () => ndjson(lineOf(1, { spanId: SPAN_ID, kind: 2 }));

test.each([{ argv: ["span", SPAN_ID] }, { argv: ["get", "--span-id", SPAN_ID] }])(
  "$argv shows the whole span on a terminal, and its line in a pipe",
  async ({ argv }) => {
    const shown = await runAgainstFake(argv, oneSpan, TERMINAL);
    const piped = await runAgainstFake(argv, oneSpan);

    expect(shown.stdout).toStartWith(`span ${SPAN_ID}  span 1\n  service   shop\n`);
    expect(piped.stdout).toBe(`${JSON.stringify(lineOf(1, { spanId: SPAN_ID, kind: 2 }))}\n`);
    expect(shown.requestLines[0]).toStartWith(`GET /api/spans?span_id=${SPAN_ID}`);
  },
);

test("a span that is not buffered, or whose id is invalid, is a failure of its own", async () => {
  const gone = await runAgainstFake(["span", SPAN_ID], noSpans, TERMINAL);
  const invalid = await runAgainstFake(["span", "b7ad"], oneSpan, TERMINAL);

  expect(gone).toMatchObject({ exitCode: 1, stdout: "" });
  expect(gone.stderr).toBe("spanring: no buffered span has this id\n");
  expect(invalid).toMatchObject({ exitCode: 2, requestLines: [] });
  expect(invalid.stderr).toBe('spanring: SPAN_ID is "b7ad"; it must be 16 hex digits\n');
});

test.each([
  { argv: ["--trace-id", TRACE_ID], says: "missing parent ff" },
  { argv: ["--trace-id", TRACE_ID, "--status", "error"], says: "parent ff not shown" },
])("a tree with $argv says: $says", async ({ argv, says }) => {
  const { stdout } = await runAgainstFake(
    ["get", ...argv],
    () => ndjson(lineOf(1, { parentSpanId: "ff" })),
    TERMINAL,
  );

  expect(stdout).toContain(`! ${says}\n`);
});

test.each([
  { argv: ["get"] },
  { argv: ["get", "--trace-id", TRACE_ID] },
  { argv: ["span", SPAN_ID] },
])("$argv reports a response that is not NDJSON on a terminal", async ({ argv }) => {
  const end = await runAgainstFake(argv, () => new Response("<html>\n"), TERMINAL);

  expect(end).toMatchObject({ exitCode: 3, stderr: expect.stringContaining("not NDJSON") });
});
