import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { runProgram } from "../support/running/running-program.ts";
import { GO_TEST, PYTEST } from "../support/runners/language-tools.ts";
import { notRun } from "../support/running/not-run.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

// Goal: tests in other languages assert on spans by `spanring run` alone.
// Method: tests that send a span with the standard library of their language.

const BODY = JSON.stringify({
  resourceSpans: [
    {
      scopeSpans: [
        {
          spans: [
            {
              traceId: "0af7651916cd43dd8448eb211c80319c",
              spanId: "b7ad6b7169203331",
              name: "GET /orders",
            },
          ],
        },
      ],
    },
  ],
});

const PYTHON = `import os
import urllib.request


def test_an_order_is_traced():
    url = os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] + "/v1/traces"
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, b'${BODY}', headers)
    assert urllib.request.urlopen(request).status == 200
`;

const GO = `package orders

import (
	"net/http"
	"os"
	"strings"
	"testing"
)

func TestAnOrderIsTraced(t *testing.T) {
	url := os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") + "/v1/traces"
	response, err := http.Post(url, "application/json", strings.NewReader(\`${BODY}\`))
	if err != nil || response.StatusCode != 200 {
		t.Fatal(response, err)
	}
}
`;

const LANGUAGES = [
  {
    language: "pytest",
    ...PYTEST,
    files: { "test_orders.py": PYTHON },
  },
  {
    language: "go test",
    ...GO_TEST,
    files: { "go.mod": "module orders\n\ngo 1.21\n", "orders_test.go": GO },
  },
];

for (const { language } of LANGUAGES.filter(({ isPresent }) => !isPresent)) {
  notRun(1, `${language} is missing`);
}

test.each(LANGUAGES.filter(({ isPresent }) => isPresent))(
  "a span of $language meets an expectation, and is a near miss of another",
  async ({ files, command }) => {
    const folder = temporaryFolder();
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const inFolder = ["sh", "-c", 'cd "$0" && exec "$@"', folder];
    const runWith = (expectation: string) =>
      runProgram(["run", "--expect", expectation, "--", ...inFolder, ...command], {
        PATH: process.env["PATH"],
        HOME: process.env["HOME"],
        CGO_ENABLED: "0",
      });

    const met = await runWith("name=GET /orders");
    const missed = await runWith("service=unknown_service & name=GET /order");

    expect(met).toMatchObject({ exitCode: 0 });
    expect(missed.exitCode).not.toBe(0);
    expect(missed.stderr).toMatch(/expected name=GET \/order; found GET \/orders/);
  },
);
