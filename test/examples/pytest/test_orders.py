import json
import os
import urllib.request

SPAN = {
    "traceId": "0af7651916cd43dd8448eb211c80319c",
    "spanId": "b7ad6b7169203331",
    "name": "GET /orders",
}


def emit_span():
    """Stands for an application with an OpenTelemetry SDK."""
    url = os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] + "/v1/traces"
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [SPAN]}]}]}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    urllib.request.urlopen(request).close()


def test_an_order_is_traced(spanring):
    emit_span()
    assert len(spanring("--name", "GET /orders")) == 1
