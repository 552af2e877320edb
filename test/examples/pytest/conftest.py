"""Starts spanring for a test session, and stops it afterwards."""

import json
import os
import subprocess
import time

import pytest

SPANRING = os.environ.get("SPANRING_BINARY", "spanring")
FREE_PORTS = {
    f"{listener}_{key}": value
    for listener in ("OTLP_GRPC", "OTLP_HTTP", "API")
    for key, value in (("HOST", "127.0.0.1"), ("PORT", "0"))
}


@pytest.fixture(scope="session")
def spanring(tmp_path_factory):
    """Sets the variables of an OpenTelemetry SDK, and yields a function that waits for spans."""
    ready_file = tmp_path_factory.mktemp("spanring") / "ready.json"
    command = [SPANRING, "--ready-file", str(ready_file)]
    process = subprocess.Popen(command, env=os.environ | FREE_PORTS, stderr=subprocess.DEVNULL)
    try:
        while not ready_file.exists():
            assert process.poll() is None, "spanring has not started"
            time.sleep(0.01)
        os.environ.update(json.loads(ready_file.read_text())["env"])
        yield wait_for
    finally:
        process.terminate()
        process.wait()


def wait_for(*conditions):
    """Returns the spans that match, one JSON object each; fails with near misses."""
    command = [SPANRING, "wait", "--timeout", "5s", *conditions]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]
