"""An application with the OpenTelemetry SDK for Python: `client.py grpc|http COUNT`.

It exports COUNT spans as the variables OTEL_EXPORTER_OTLP_* say, and exits with 1 if an export
fails.
"""

import sys

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

protocol, count = sys.argv[1], int(sys.argv[2])
if protocol == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
else:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

results = []


class CountedExporter(OTLPSpanExporter):
    def export(self, spans):
        result = super().export(spans)
        results.append(result)
        return result


provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(CountedExporter()))
for _ in range(count):
    provider.get_tracer("sdk-client").start_span("GET /orders").end()
provider.shutdown()
sys.exit(0 if results and all(each is SpanExportResult.SUCCESS for each in results) else 1)
