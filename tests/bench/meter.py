"""A proxy between the functions and the emulator that counts what they ask AWS for.

Functions are pointed at it after the deployment; their name comes along in the user agent. Nothing
is changed on the way but one thing: DynamoDB is asked to say what each write consumes.
"""

import http.client
import json
import math
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from local.cloud import LocalCloud
from tests.bench.prices import TASK_TOKEN_BYTES

_APP = re.compile(r"\bapp/([\w.-]+)")
_TARGETS = {"DynamoDB_20120810": "DynamoDB", "AmazonSSM": "SSM", "AmazonSQS": "SQS"}
_TARGETS["AWSStepFunctions"] = "Step Functions"
_S3 = {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject"}
_READ_UNIT = 4096
_WRITE_UNIT = 1024
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}
_READY_SECONDS = 30

Json = dict[str, Any]


@dataclass(frozen=True)
class Call:
    function: str
    service: str
    operation: str
    status: int
    write_units: float = 0.0
    read_units: float = 0.0


@dataclass
class Meter:
    upstream: str
    calls: list[Call] = field(default_factory=list)

    def of_requests(self) -> list[Call]:
        """All but those of the reconciler's schedule."""
        return [call for call in self.calls if call.function != "ReconcileFunction"]


@contextmanager
def metered(cloud: LocalCloud) -> Iterator[Meter]:
    """Every function of the cloud, from now on, asks AWS through the meter."""
    meter = Meter(cloud.endpoint_url)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(meter))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        _redirect(cloud, f"http://127.0.0.1:{server.server_port}")
        yield meter
    finally:
        server.shutdown()
        server.server_close()


def functions(cloud: LocalCloud) -> dict[str, Json]:
    """The deployed functions by their names in the template."""
    listed = cloud.client("lambda").list_functions()["Functions"]
    stack = cloud.client("cloudformation").describe_stack_resources(StackName="storyhook-local")
    names = {
        each["PhysicalResourceId"].split(":")[-1]: each["LogicalResourceId"]
        for each in stack["StackResources"]
        if each["ResourceType"] == "AWS::Lambda::Function"
    }
    return {names[each["FunctionName"]]: each for each in listed if each["FunctionName"] in names}


def _redirect(cloud: LocalCloud, url: str) -> None:
    client = cloud.client("lambda")
    for name, function in functions(cloud).items():
        variables = function.get("Environment", {}).get("Variables", {})
        client.update_function_configuration(
            FunctionName=function["FunctionName"],
            Environment={
                "Variables": {**variables, "AWS_ENDPOINT_URL": url, "AWS_SDK_UA_APP_ID": name}
            },
        )
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            state = client.get_function_configuration(FunctionName=function["FunctionName"])
            if state.get("LastUpdateStatus", "Successful") != "InProgress":
                break
            time.sleep(0.1)


def _handler(meter: Meter) -> type[BaseHTTPRequestHandler]:
    host = urlsplit(meter.upstream).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            body = self._body()
            service, operation = _named(self.command, self.headers.get("x-amz-target", ""))
            if service == "DynamoDB":
                body = json.dumps(
                    {**json.loads(body), "ReturnConsumedCapacity": "INDEXES"}
                ).encode()
            headers = {n: v for n, v in self.headers.items() if n.lower() not in _HOP_BY_HOP}
            headers["Content-Length"] = str(len(body))
            upstream = http.client.HTTPConnection(host, timeout=60)
            try:
                upstream.request(self.command, self.path, body, headers)
                answer = upstream.getresponse()
                content = answer.read()
            finally:
                upstream.close()
            app = _APP.search(self.headers.get("user-agent", ""))
            reads, writes = _units(operation, content) if service == "DynamoDB" else (0.0, 0.0)
            meter.calls.append(
                Call(
                    app.group(1) if app else "",
                    service,
                    operation,
                    answer.status,
                    write_units=writes,
                    read_units=reads,
                )
            )
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in _HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = forward  # noqa: N815

        def _body(self) -> bytes:
            if self.headers.get("transfer-encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("content-length", "0")))
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Quiet."""

    return Handler


def _named(method: str, target: str) -> tuple[str, str]:
    if not target:
        return "S3", _S3.get(method, method)
    service, _, operation = target.partition(".")
    return _TARGETS.get(service, service), operation


def _units(operation: str, content: bytes) -> tuple[float, float]:
    """(read, write) request units. Writes as the emulator tells, with their index writes; reads by
    the size of what came back, because the emulator counts each as one."""
    answer = json.loads(content or b"{}")
    if "ConditionalCheckFailed" in answer.get("__type", ""):
        return 0.0, 1.0  # it is billed all the same
    if "CancellationReasons" in answer:
        return 0.0, 2.0 * len(answer["CancellationReasons"])  # so is a transaction, twice
    if operation == "GetItem":
        return _read_units([answer.get("Item", {})]), 0.0
    if operation == "BatchGetItem":
        tables = answer.get("Responses", {}).values()
        return sum(_read_units([item]) for items in tables for item in items), 0.0
    if operation == "Query":
        return _read_units(answer.get("Items", [])), 0.0
    consumed = answer.get("ConsumedCapacity", [])
    each = [consumed] if isinstance(consumed, dict) else consumed
    counted = sum(float(one["CapacityUnits"]) for one in each)
    return 0.0, counted + _longer_token(answer.get("Attributes", {}))


def _longer_token(row: Json) -> int:
    """Write units more for a row with a task token as long as AWS's."""
    token = row.get("task_token", {}).get("S")
    if token is None:
        return 0
    size = _size(row)
    longer = size + max(0, TASK_TOKEN_BYTES - len(token))
    return math.ceil(longer / _WRITE_UNIT) - math.ceil(size / _WRITE_UNIT)


def _read_units(items: list[Json]) -> float:
    """Of one strongly consistent read."""
    return float(max(1, math.ceil(sum(map(_size, items)) / _READ_UNIT)))


def _size(item: Json) -> int:
    """Roughly what DynamoDB counts: names and values in UTF-8, binary values unpacked."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: Json) -> int:
    if "B" in value:
        return len(value["B"]) * 3 // 4  # base64 on the wire
    return len(str(next(iter(value.values()))).encode())
