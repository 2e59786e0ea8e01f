"""A small HTTP server that keeps the OpenLineage events it is sent, and schemas to judge them by."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver:
    def __init__(self, url: str) -> None:
        self.url = url
        self.paths: list[str] = []
        self.events: list[dict[str, Any]] = []

    def of(self, dag_id: str, task_id: str, kind: str) -> list[dict[str, Any]]:
        name = f"{dag_id}.{task_id}"
        return [event for event in self.events if event["job"]["name"] == name and event["eventType"] == kind]

    def one(self, dag_id: str, task_id: str, kind: str) -> dict[str, Any]:
        (event,) = self.of(dag_id, task_id, kind)
        return event


@contextmanager
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.paths.append(self.path)
            kept.events.append(json.loads(body))
            self.send_response(201)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        kept = Receiver(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield kept
        finally:
            server.shutdown()
            thread.join()
