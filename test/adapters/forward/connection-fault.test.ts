import { expect, test } from "bun:test";
import { connectionFault } from "../../../src/adapters/forward/connection-fault.ts";

test.each<{ name: string; error: unknown; told: string }>([
  {
    name: "a code that is known",
    error: Object.assign(new Error("x"), { code: "ECONNREFUSED" }),
    told: "ECONNREFUSED: nothing is listening there",
  },
  {
    name: "another code, in whose words a secret may be,",
    error: Object.assign(new Error("fetching http://up/?key=secret"), { code: "EODD\n" }),
    told: "EODD\\n",
  },
  {
    name: "a code that is a number",
    error: new DOMException("no answer in time", "TimeoutError"),
    told: "TimeoutError: no response in time",
  },
  { name: "an error without a message", error: new TypeError(""), told: "TypeError" },
  { name: "a text", error: "odd", told: "odd" },
])("$name is told in a few words", ({ error, told }) => {
  expect(connectionFault(error)).toBe(told);
});
