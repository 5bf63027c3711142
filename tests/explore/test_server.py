"""The server gives the page and its answers to whoever has the token, and nothing to others."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping

import pytest
from click.testing import CliRunner

from patternc.cli.main import commands
from patternc.explore.server import FILES, PAGE, Server
from patternc.explore.worker import Workers


def _echo(name: str, fields: Mapping[str, object]) -> dict[str, object]:
    return {"name": name, **fields}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(_echo) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def _asked(
    server: Server, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, bytes, Mapping[str, str]]:
    connection = http.client.HTTPConnection(*server.server_address[:2], timeout=10)
    connection.request(method, path, body, headers)
    found = connection.getresponse()
    return found.status, found.read(), dict(found.getheaders())


def test_the_page_is_served_under_its_token_alone(server: Server) -> None:
    for name in ("", *FILES):
        status, body, headers = _asked(server, "GET", f"/{server.token}/{name}")
        assert (status, body) == (200, (PAGE / (name or "index.html")).read_bytes())
        assert "script-src 'self'" in headers["Content-Security-Policy"]
    for path in ("/", "/index.html", f"/{server.token[:-1]}x/", f"/{server.token}"):
        assert _asked(server, "GET", path)[0] == 403


@pytest.mark.parametrize("name", ["../server.py", "%2e%2e/server.py", "page.css/", "server.py"])
def test_no_other_file_is_served(server: Server, name: str) -> None:
    assert _asked(server, "GET", f"/{server.token}/{name}")[0] == 404


def test_answers_go_to_the_page_and_not_to_other_origins(server: Server) -> None:
    path, body = f"/{server.token}/check", b'{"text": "full"}'
    status, found, _ = _asked(server, "POST", path, body, Origin=server.origin)
    assert (status, json.loads(found)) == (200, {"name": "check", "text": "full"})
    assert _asked(server, "POST", path, body, Origin="http://example.org")[0] == 403
    assert _asked(server, "POST", path, body, Host="example.org")[0] == 403
    assert _asked(server, "POST", "/check", body)[0] == 403


@pytest.mark.parametrize(
    ("body", "status"), [(b"[]", 400), (b"{", 400), (b"\xff", 400), (b"[" * 100_000, 400)]
)
def test_bodies_that_are_no_object_are_refused(server: Server, body: bytes, status: int) -> None:
    assert _asked(server, "POST", f"/{server.token}/check", body)[0] == status


def test_bodies_longer_than_two_programs_are_refused_unread(server: Server) -> None:
    length = {"Content-Length": str(1 << 30)}
    assert _asked(server, "POST", f"/{server.token}/check", b"", **length)[0] == 413


def test_an_answer_that_takes_too_long_is_given_up_and_the_next_is_answered() -> None:
    with Workers(seconds=0.0) as workers:
        found = workers.answer("check", {"text": "full"})
        assert "no answer within 0 s" in str(found["error"])
    with Workers(seconds=60.0) as workers:
        assert workers.answer("check", {"text": "full"})["diagnostics"] == []
        assert workers.answer("diff", {"text": "full", "other": "full"})["outcome"] == "equal"


def _interruptible() -> None:
    """Tests that run in the background inherit that interrupts are ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_the_command_says_where_and_ends_by_an_interrupt() -> None:
    words = [sys.executable, "-m", "patternc", "explore", "--no-browser", "-e", "full", "-n", "8"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, text=True, preexec_fn=_interruptible
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(60) == 130
        finally:
            process.kill()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{32}/#text=full&n=8", address)


def test_a_port_that_is_taken_is_named(server: Server) -> None:
    port = server.server_address[1]
    found = CliRunner().invoke(commands, ["explore", "--no-browser", "--port", str(port)])
    assert (found.exit_code, f"--port {port}: " in found.stderr) == (1, True)
