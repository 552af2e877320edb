import { expect, test } from "bun:test";
import { connectionFaultOf } from "../../../src/domain/text/connection-fault.ts";

test.each<{ name: string; error: unknown; code: string; meaning?: string }>([
  {
    name: "a known code",
    error: Object.assign(new Error("x"), { code: "ECONNREFUSED" }),
    code: "ECONNREFUSED",
    meaning: "nothing is listening there",
  },
  {
    name: "a name instead of a code that is a number",
    error: new DOMException("too late", "TimeoutError"),
    code: "TimeoutError",
    meaning: "no response in time",
  },
  {
    name: "an unknown code",
    error: Object.assign(new Error("http://up/?key=secret"), { code: "EODD" }),
    code: "EODD",
  },
  {
    name: "a code that objects inherit",
    error: Object.assign(new Error("x"), { code: "toString" }),
    code: "toString",
  },
  { name: "no error", error: "odd", code: "odd" },
])("$name: the fault has a code, and its meaning if it is known", ({ error, code, meaning }) => {
  expect(connectionFaultOf(error)).toEqual({ code, meaning });
});
