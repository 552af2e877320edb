import { expect, test } from "bun:test";
import { SharedFields } from "../../../src/application/ring/shared-fields.ts";
import { placesOf } from "../../support/requests/matched-spans.ts";
import { request, resourceSpans, span } from "../../support/requests/request-bytes.ts";
import { varintField } from "../../support/requests/wire-bytes.ts";

const kindsOf = (...kinds: number[]) =>
  request(resourceSpans("shop", ...kinds.map((kind) => span(1, varintField(6, kind)))));

test("each span has its own fields, however often it is asked for them", () => {
  const fields = new SharedFields();
  const [one, other] = placesOf(kindsOf(1, 2));

  const kinds = [one!, one!, other!, one!].map((place) => fields.of(place).kind);

  expect(kinds).toEqual([1, 1, 2, 1]);
});

test("once they may have changed, the bytes are read anew", () => {
  const fields = new SharedFields();
  const [before] = placesOf(kindsOf(1));
  const first = fields.of(before!).kind;
  const [after] = placesOf(kindsOf(2));

  fields.reset();

  expect([first, fields.of(after!).kind]).toEqual([1, 2]);
});
