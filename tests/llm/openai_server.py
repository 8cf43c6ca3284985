"""A real HTTP server on this machine that speaks the OpenAI protocol, well or badly, as its script says."""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Script = Callable[[dict[str, Any], int], Any]
"""Gets the request's body and how many came before; returns text, a mapping (the answer as JSON), or one of `Bad`."""


class Bad:
    """An answer that is none: `how` names what goes wrong."""

    def __init__(self, how: str, **more: Any) -> None:
        self.how = how
        self.more = more


class Server:
    """Where it listens, and what it was asked."""

    def __init__(self, url: str, http: ThreadingHTTPServer) -> None:
        self.url = url
        self.http = http
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.paths: list[str] = []
        self.script: Script = lambda body, _n: f"you said: {body['messages'][-1]['content']}"
        self.leave = threading.Event()


@contextmanager
def openai_server(script: Script | None = None) -> Iterator[Server]:
    """Serve until the end of the block."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    http.daemon_threads = True
    server = Server(f"http://127.0.0.1:{http.server_address[1]}/v1", http)
    if script is not None:
        server.script = script
    http.rivus = server  # type: ignore[attr-defined]
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.leave.set()
        http.shutdown()
        http.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_args: Any) -> None:
        return None

    def do_POST(self) -> None:
        server: Server = self.server.rivus  # type: ignore[attr-defined]
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        n = len(server.asked)
        server.asked.append(body)
        server.paths.append(self.path)
        server.keys.append(self.headers.get("authorization"))
        answer = server.script(body, n)
        try:
            if isinstance(answer, Bad):
                self._bad(answer, server)
            else:
                self._good(body, answer if isinstance(answer, str) else json.dumps(answer))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _good(self, body: dict[str, Any], text: str, **more: Any) -> None:
        told = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": body["model"],
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
            **more,
        }
        self._send(200, json.dumps({key: value for key, value in told.items() if value is not None}).encode())

    def _send(self, status: int, raw: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("content-type", headers.pop("content_type", "application/json"))
        self.send_header("content-length", headers.pop("length", str(len(raw))))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(raw)

    def _bad(self, bad: Bad, server: Server) -> None:
        match bad.how:
            case "status":
                error = {
                    "error": {"message": bad.more.get("message", "no"), "type": "error", "code": bad.more.get("code")}
                }
                self._send(bad.more["status"], json.dumps(error).encode(), **bad.more.get("headers", {}))
            case "malformed":
                self._send(200, b'{"choices": [{"mess')
            case "html":
                self._send(502, b"<html>Bad gateway</html>", content_type="text/html")
            case "no usage":
                self._good({"model": "m"}, "yes", usage=None)
            case "answer":
                given = {"role": "assistant", "content": "yes", **bad.more.get("given", {})}
                choice = {"index": 0, "message": given, "finish_reason": bad.more.get("finish_reason", "stop")}
                self._good({"model": "m"}, "", choices=[choice], **bad.more.get("more", {}))
            case "no choices":
                self._good({"model": "m"}, "", choices=[])
            case "cut":
                self._send(200, b'{"choices": [', length="5000")
                self.close_connection = True
            case "reset":
                self.close_connection = True
                self.connection.close()
            case "torn":
                self.close_connection = True
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                os.close(self.connection.detach())
            case "slow":
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", "5000")
                self.end_headers()
                while not server.leave.wait(0.05):
                    self.wfile.write(b" ")
                    self.wfile.flush()
            case "huge":
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                part = b"x" * (1 << 20)
                for _ in range(64):
                    self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
                self.wfile.write(b"0\r\n\r\n")
