/** A listener of OTLP, as `/api/receivers` reports it. */
export interface Receiver {
  /** A host, or `unix:/PATH`. */
  readonly host: string;
  /** Absent for a Unix socket. */
  readonly port?: number;
  readonly tls: boolean;
  readonly client_certificate: boolean;
  readonly token: boolean;
}

/** The response of `/api/receivers`. */
export interface Receivers {
  readonly grpc?: Receiver;
  readonly http?: Receiver;
}

/** The listeners, and the host under which the browser knows spanring. */
export interface Destination {
  readonly receivers: Receivers;
  readonly pageHost: string;
}

type Protocol = keyof Receivers;

/** How to make the programs of one language send spans here. */
export interface Setup {
  readonly name: string;
  /** Returns lines for a shell. */
  readonly lines: (destination: Destination) => string;
}

const PROTOCOL_VALUES: Readonly<Record<Protocol, string>> = { grpc: "grpc", http: "http/protobuf" };

/** The hosts that mean every address of the machine, which no client can connect to. */
const EVERY_ADDRESS = /^(0\.0\.0\.0|\[?::\]?)$/;

function endpointOf({ host, port, tls }: Receiver, pageHost: string): string {
  if (port === undefined) return host;
  const named = EVERY_ADDRESS.test(host) ? pageHost : host;
  const written = named.includes(":") && !named.startsWith("[") ? `[${named}]` : named;
  return `${tls ? "https" : "http"}://${written}:${port}`;
}

/** Returns the variables that every OpenTelemetry SDK reads. */
function exported(receiver: Receiver, protocol: Protocol, pageHost: string): string[] {
  const { tls, client_certificate: needsCertificate, token } = receiver;
  const settings = [
    ["ENDPOINT", endpointOf(receiver, pageHost)],
    ["PROTOCOL", PROTOCOL_VALUES[protocol]],
    ...(token ? [["HEADERS", '"authorization=Bearer%20TOKEN"']] : []),
    ...(tls ? [["CERTIFICATE", "ca.pem"]] : []),
    ...(needsCertificate ? [["CLIENT_CERTIFICATE", "client.pem"]] : []),
    ...(needsCertificate ? [["CLIENT_KEY", "client-key.pem"]] : []),
  ];
  const lines = settings.map(([name, value]) => `export OTEL_EXPORTER_OTLP_${name}=${value}`);
  return [...lines, "export OTEL_SERVICE_NAME=my-service"];
}

/** Returns the lines of a language: those of the first protocol that listens on a port. */
function over(commands: Partial<Record<Protocol, readonly string[]>>): Setup["lines"] {
  return ({ receivers, pageHost }) => {
    const protocols = Object.keys(commands) as Protocol[];
    const protocol = protocols.find((each) => receivers[each]?.port !== undefined);
    if (protocol === undefined) return noPort(protocols);
    return [...exported(receivers[protocol]!, protocol, pageHost), "", ...commands[protocol]!].join(
      "\n",
    );
  };
}

function noPort(protocols: readonly Protocol[]): string {
  const variables = protocols.map((each) => `OTLP_${each.toUpperCase()}_PORT`).join(" or ");
  return `# These exporters need a port: set ${variables} of spanring.`;
}

/** Returns the variables alone, for a listener of any kind. */
function variablesOnly({ receivers, pageHost }: Destination): string {
  const { grpc, http } = receivers;
  if (grpc !== undefined) return exported(grpc, "grpc", pageHost).join("\n");
  if (http !== undefined) return exported(http, "http", pageHost).join("\n");
  return noPort(["grpc", "http"]);
}

function overEither(...commands: string[]): Setup["lines"] {
  return over({ http: commands, grpc: commands });
}

export const SETUPS: readonly Setup[] = [
  {
    name: "Node",
    lines: overEither(
      "npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node",
      "node --require @opentelemetry/auto-instrumentations-node/register app.js",
    ),
  },
  {
    name: "Python",
    lines: overEither(
      "pip install opentelemetry-distro opentelemetry-exporter-otlp",
      "opentelemetry-bootstrap --action=install",
      "opentelemetry-instrument python app.py",
    ),
  },
  {
    name: "Java",
    lines: overEither("java -javaagent:opentelemetry-javaagent.jar -jar app.jar"),
  },
  { name: "Go", lines: over({ http: goCommands("http"), grpc: goCommands("grpc") }) },
  {
    name: ".NET",
    lines: overEither(
      "dotnet add package OpenTelemetry.Extensions.Hosting",
      "dotnet add package OpenTelemetry.Exporter.OpenTelemetryProtocol",
      "# In the program: services.AddOpenTelemetry().UseOtlpExporter()",
      "dotnet run",
    ),
  },
  {
    name: "Ruby",
    lines: over({
      http: [
        "gem install opentelemetry-sdk opentelemetry-exporter-otlp \\",
        "  opentelemetry-instrumentation-all",
        "# In the program: OpenTelemetry::SDK.configure { |c| c.use_all }",
        "ruby app.rb",
      ],
    }),
  },
  { name: "Variables", lines: variablesOnly },
];

function goCommands(protocol: Protocol): string[] {
  return [
    `go get go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptrace${protocol}`,
    `# In the program: otlptrace${protocol}.New(ctx) reads these variables.`,
    "go run .",
  ];
}

const PLACEHOLDERS = [
  { placeholder: "TOKEN", meaning: "TOKEN with a token of OTLP_AUTH_TOKENS_FILE" },
  { placeholder: "=ca.pem", meaning: "ca.pem with the certificate of the issuer" },
  { placeholder: "=client.pem", meaning: "client.pem with the certificate of the client" },
  { placeholder: "=client-key.pem", meaning: "client-key.pem with its key" },
];

/** Says what to replace in the lines of a set-up; undefined if nothing. */
export function placeholderNote(lines: string): string | undefined {
  const used = PLACEHOLDERS.filter(({ placeholder }) => lines.includes(placeholder));
  if (used.length === 0) return undefined;
  return `Replace ${used.map(({ meaning }) => meaning).join(", ")}.`;
}
