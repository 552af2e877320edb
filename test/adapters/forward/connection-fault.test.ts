import { expect, test } from "bun:test";
import { connectionFault } from "../../../src/adapters/forward/connection-fault.ts";

test.each<{ name: string; error: unknown; description: string }>([
  {
    name: "a known code",
    error: Object.assign(new Error("x"), { code: "ECONNREFUSED" }),
    description: "ECONNREFUSED: nothing is listening there",
  },
  {
    name: "an unknown code, whose message may contain a secret,",
    error: Object.assign(new Error("fetching http://up/?key=secret"), { code: "EODD\n" }),
    description: "EODD\\n",
  },
  {
    name: "an error with a numeric code",
    error: new DOMException("no answer in time", "TimeoutError"),
    description: "TimeoutError: no response in time",
  },
  { name: "an error without a message", error: new TypeError(""), description: "TypeError" },
  { name: "a string", error: "odd", description: "odd" },
])("$name is described briefly", ({ error, description }) => {
  expect(connectionFault(error)).toBe(description);
});
