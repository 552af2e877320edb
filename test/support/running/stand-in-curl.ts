import { parseArgs } from "node:util";

/** As much of curl as the README's session asks for: `curl -s [-X METHOD] URL`. */
const { values, positionals } = parseArgs({
  options: {
    silent: { type: "boolean", short: "s" },
    request: { type: "string", short: "X", default: "GET" },
  },
  allowPositionals: true,
});

const response = await fetch(positionals.join(" "), { method: values.request });
await Bun.write(Bun.stdout, await response.bytes());
