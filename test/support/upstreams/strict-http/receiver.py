"""A receiver of OTLP/HTTP made of Python's protobuf, which refuses text that is not UTF-8.

    receiver.py PORT

It listens on 127.0.0.1. Each line of standard input is an order in JSON; the answer, and the first
line, is a report: as those of strict-grpc, but `code` is a status of HTTP. It ends with its input.
"""

import gzip
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class State:
    def __init__(self):
        self.lock = threading.Lock()
        self.code = 0
        self.token = ""
        self.kept = set()
        self.report = {"port": 0, "withSpans": 0, "empty": 0, "spans": 0, "unique": 0}

    def obey(self, order):
        with self.lock:
            self.code = order.get("code", self.code)
            self.token = order.get("token", self.token)
            return dict(self.report)

    def receive(self, request, authorization):
        """The status of the answer."""
        ids = [
            span.span_id
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        with self.lock:
            self.report["withSpans" if ids else "empty"] += 1
            if self.code:
                return self.code
            if self.token and authorization != self.token:
                return 401
            self.kept.update(ids)
            self.report["spans"] += len(ids)
            self.report["unique"] = len(self.kept)
            return 200


STATE = State()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        try:
            request = ExportTraceServiceRequest.FromString(body)
        except DecodeError as error:
            self.answer(400, str(error).encode())
            return
        self.answer(STATE.receive(request, self.headers.get("Authorization")))

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if body else "application/x-protobuf")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def say(report):
    print(json.dumps(report), flush=True)


class Server(ThreadingHTTPServer):
    daemon_threads = True


server = Server(("127.0.0.1", int(sys.argv[1])), Handler)
STATE.report["port"] = server.server_address[1]
threading.Thread(target=server.serve_forever, daemon=True).start()
say(STATE.obey({}))
for line in sys.stdin:
    say(STATE.obey(json.loads(line)))
