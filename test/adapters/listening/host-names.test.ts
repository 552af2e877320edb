import { expect, test } from "bun:test";
import { requireResolvable } from "../../../src/adapters/listening/served-port.ts";

function lookups(known: readonly string[]) {
  const asked: string[] = [];
  const lookup = async (host: string) => {
    asked.push(host);
    if (!known.includes(host)) throw Object.assign(new Error("no"), { code: "EAI_AGAIN" });
  };
  return { asked, lookup };
}

test.each(["0.0.0.0", "::", "::1", "fe80::1%eth0"])(
  "the address %s is not looked up",
  async (host) => {
    const { asked, lookup } = lookups([]);

    await requireResolvable(host, lookup);

    expect(asked).toEqual([]);
  },
);

test("a name that resolves is all right", async () => {
  const { asked, lookup } = lookups(["edge"]);

  await requireResolvable("edge", lookup);

  expect(asked).toEqual(["edge"]);
});

test("a name that does not resolve has one code, whatever the resolver says", async () => {
  const { lookup } = lookups([]);

  const required = requireResolvable("nope", lookup);

  await expect(required).rejects.toMatchObject({ code: "ENOTFOUND", message: "EAI_AGAIN: nope" });
});

test("this machine knows itself", async () => {
  await requireResolvable("localhost");
});
