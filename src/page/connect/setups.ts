/** How to make the programs of one language send spans here. */
export interface Setup {
  readonly name: string;
  /** Returns lines for a shell. */
  readonly lines: (host: string) => string;
}

/** The ports that exporters use by default, which spanring listens to by default. */
const [GRPC_PORT, HTTP_PORT] = [4317, 4318];

function exported(host: string, port: number, protocol: string): string {
  return [
    `export OTEL_EXPORTER_OTLP_ENDPOINT=http://${host}:${port}`,
    `export OTEL_EXPORTER_OTLP_PROTOCOL=${protocol}`,
    "export OTEL_SERVICE_NAME=my-service",
  ].join("\n");
}

function overHttp(...commands: string[]): Setup["lines"] {
  return (host) => [exported(host, HTTP_PORT, "http/protobuf"), "", ...commands].join("\n");
}

export const SETUPS: readonly Setup[] = [
  {
    name: "Node",
    lines: overHttp(
      "npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node",
      "node --require @opentelemetry/auto-instrumentations-node/register app.js",
    ),
  },
  {
    name: "Python",
    lines: overHttp(
      "pip install opentelemetry-distro opentelemetry-exporter-otlp",
      "opentelemetry-bootstrap --action=install",
      "opentelemetry-instrument python app.py",
    ),
  },
  {
    name: "Java",
    lines: overHttp("java -javaagent:opentelemetry-javaagent.jar -jar app.jar"),
  },
  {
    name: "Go",
    lines: overHttp(
      "go get go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp",
      "# In the program: otlptracehttp.New(ctx) reads these variables.",
      "go run .",
    ),
  },
  {
    name: ".NET",
    lines: overHttp(
      "dotnet add package OpenTelemetry.Extensions.Hosting",
      "dotnet add package OpenTelemetry.Exporter.OpenTelemetryProtocol",
      "# In the program: services.AddOpenTelemetry().UseOtlpExporter()",
      "dotnet run",
    ),
  },
  {
    name: "Ruby",
    lines: overHttp(
      "gem install opentelemetry-sdk opentelemetry-exporter-otlp \\",
      "  opentelemetry-instrumentation-all",
      "# In the program: OpenTelemetry::SDK.configure { |c| c.use_all }",
      "ruby app.rb",
    ),
  },
  { name: "Variables", lines: (host) => exported(host, GRPC_PORT, "grpc") },
];
