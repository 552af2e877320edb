import type { SpanCondition } from "./span-filter.ts";
import {
  compares,
  equals,
  matches,
  type WantedAttribute,
  wantedAttribute,
} from "./wanted-attribute.ts";

/** The conditions on an attribute. */
export type AttributeCondition = Extract<SpanCondition, { readonly on: `attribute${string}` }>;

export function isAttributeCondition(condition: SpanCondition): condition is AttributeCondition {
  return condition.on.startsWith("attribute");
}

/** Returns the attribute that a condition requires, and the test of its value. */
export function attributeOf(condition: AttributeCondition): WantedAttribute {
  switch (condition.on) {
    case "attribute":
      return wantedAttribute(condition.key, equals(condition.value));
    case "attribute_exists":
      return wantedAttribute(condition.value, () => true);
    case "attribute_matches":
      return wantedAttribute(condition.key, matches(condition.value));
    case "attribute_number":
      return wantedAttribute(condition.key, compares(condition));
  }
}
