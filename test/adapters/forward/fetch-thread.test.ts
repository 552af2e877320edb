import { expect, test } from "bun:test";

const SENDING = `${import.meta.dir}/../../support/processes/send-without-descriptors.ts`;

// Goal: a batch sent when file descriptors have run out is retried, and the process survives.
// Method: a process with a low limit opens as many files as it can, and sends its first batch.
test.each(["http://127.0.0.1:1", "grpc://127.0.0.1:1"])(
  "a first batch to %s without a free file descriptor is retried",
  async (endpoint) => {
    const limited = ["sh", "-c", 'ulimit -n 200 && exec "$@"', "sh"];
    const child = Bun.spawn([...limited, process.execPath, SENDING], {
      env: { ...process.env, FORWARD_ENDPOINT: endpoint, HTTP_PROXY: "http://127.0.0.1:2" },
      stdout: "pipe",
      stderr: "pipe",
    });

    const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);

    expect({ stdout, stderr }).toEqual({ stdout: "EMFILE\nretry\n", stderr: "" });
    expect(await child.exited).toBe(0);
  },
);
