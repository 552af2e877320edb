import { expect, test } from "bun:test";
import { requireResolvable } from "../../../src/adapters/listening/served-port.ts";

function lookups(known: readonly string[]) {
  const lookedUp: string[] = [];
  const lookup = async (host: string) => {
    lookedUp.push(host);
    if (!known.includes(host)) throw Object.assign(new Error("no"), { code: "EAI_AGAIN" });
  };
  return { lookedUp, lookup };
}

test.each(["0.0.0.0", "::", "::1", "fe80::1%eth0"])(
  "the address %s is not looked up",
  async (host) => {
    const { lookedUp, lookup } = lookups([]);

    await requireResolvable(host, lookup);

    expect(lookedUp).toEqual([]);
  },
);

test("a name that resolves is accepted", async () => {
  const { lookedUp, lookup } = lookups(["edge"]);

  await requireResolvable("edge", lookup);

  expect(lookedUp).toEqual(["edge"]);
});

test("a name that does not resolve causes one code for all errors of the resolver", async () => {
  const { lookup } = lookups([]);

  const required = requireResolvable("nope", lookup);

  await expect(required).rejects.toMatchObject({ code: "ENOTFOUND", message: "EAI_AGAIN: nope" });
});

test("localhost resolves on this machine", async () => {
  await requireResolvable("localhost");
});
