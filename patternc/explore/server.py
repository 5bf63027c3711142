"""The server of the page: on this machine only, for those who have the token.

Serves the page's own files and the answers to its requests, nothing else. Requests are refused that
name another host (a page elsewhere whose name leads here), come from another origin, or are longer
than a program may be.
"""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Json = dict[str, object]
Answers = Callable[[str, Mapping[str, object]], Json]

PAGE = Path(__file__).with_name("page")
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
FILES = {path.name: _TYPES[path.suffix] for path in PAGE.iterdir() if path.suffix in _TYPES}
_OWN = ("script", "style", "connect")
# Bytes of a request: two programs of 1 MB, each character escaped.
_MOST = 16 << 20
_POLICY = "; ".join(
    ["default-src 'none'", "img-src data:", *(f"{kind}-src 'self'" for kind in _OWN)]
)


class Server(ThreadingHTTPServer):
    """Listens on 127.0.0.1; `port` 0 is any that is free. `url` is where the page is."""

    daemon_threads = True

    def __init__(self, answers: Answers, port: int = 0) -> None:
        self.answers, self.token = answers, secrets.token_urlsafe(24)
        super().__init__(("127.0.0.1", port), Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing where the page was closed before its answer came."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def url(self) -> str:
        return f"{self.origin}/{self.token}/"


class Handler(BaseHTTPRequestHandler):
    """One request: a file of the page, or an answer."""

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = 60
    server_version = "patternc"
    sys_version = ""

    def do_GET(self) -> None:
        name = self._asked_for()
        if name is None:
            return
        name = name or "index.html"
        if name not in FILES:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        self._send(FILES[name], (PAGE / name).read_bytes())

    def do_POST(self) -> None:
        name = self._asked_for()
        if name is None:
            return
        origin = self.headers.get("Origin")
        if origin is not None and origin != self.server.origin:
            self._refuse(HTTPStatus.FORBIDDEN)
            return
        fields = self._fields()
        if fields is not None:
            found = self.server.answers(name, fields)
            self._send("application/json", json.dumps(found).encode())

    def _asked_for(self) -> str | None:
        """The path behind the token; refuses requests without it."""
        host = self.headers.get("Host", "")
        start = f"/{self.server.token}/"
        path = self.path.partition("?")[0]
        if f"http://{host}" != self.server.origin or not _same_start(path, start):
            self._refuse(HTTPStatus.FORBIDDEN)
            return None
        return path[len(start) :]

    def _fields(self) -> Mapping[str, object] | None:
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > _MOST:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return None
        try:
            found = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            self._refuse(HTTPStatus.BAD_REQUEST)
            return None
        return found

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True
        self._send("text/plain", status.phrase.encode(), status)

    def _send(self, kind: str, body: bytes, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's
        """Says nothing: the token would be in it."""


def _same_start(path: str, start: str) -> bool:
    """Whether a path begins with the token; the time it takes tells nothing of the token."""
    return secrets.compare_digest(path[: len(start)].encode(), start.encode())
