import { parseArgs } from "node:util";

/** The part of curl that the README uses: `curl -s [-X METHOD] [-H HEADER] [-d BODY] URL`. */
const { values, positionals } = parseArgs({
  options: {
    silent: { type: "boolean", short: "s" },
    request: { type: "string", short: "X" },
    header: { type: "string", short: "H", default: "Accept: */*" },
    data: { type: "string", short: "d" },
  },
  allowPositionals: true,
});

const body = values.data?.replaceAll("\n", "") ?? null;
const method = values.request ?? (body === null ? "GET" : "POST");
const [name = "", value = ""] = values.header.split(": ");
const response = await fetch(positionals.join(" "), { method, body, headers: { [name]: value } });
await Bun.write(Bun.stdout, await response.bytes());
