"""Whether an alert reaches a webhook, and whether a webhook that fails does no harm and gives nothing away."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from contracts.errors import InputDataError
from flows.alert_settings import WEBHOOK
from flows.alerts import NO_WEBHOOK, SENT, send_alert
from flows.opening import open_warehouse
from flows.run_alerts import tell_failed
from flows.settings import Settings
from tests.flows.commands import Command
from tests.small_county import Place
from warehouse.runs import start_run

POSTER = "who-knows-this-can-post"


class Receiver(ThreadingHTTPServer):
    """Keeps what is posted to it, and answers with a status."""

    def __init__(self) -> None:
        """Listen on a free port of this machine."""
        super().__init__(("127.0.0.1", 0), Answer)
        self.answer, self.received = 200, list[tuple[str, dict[str, object]]]()
        self.hold = threading.Event()
        self.hold.set()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}/hooks/{POSTER}"


class Answer(BaseHTTPRequestHandler):
    """One request."""

    server: Receiver

    def do_POST(self) -> None:
        """Keep the document and answer."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((str(self.headers["Content-Type"]), json.loads(body)))
        self.server.hold.wait(5)
        self.send_response(self.server.answer)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
        """Say nothing."""


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A server whose address is the webhook."""
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv(WEBHOOK, server.address)
    yield server
    server.hold.set()
    server.shutdown()
    server.server_close()


def test_an_alert_is_posted_as_a_text_for_people_and_exceptions_for_programs(settings: Settings, receiver: Receiver) -> None:
    became = send_alert(settings.alerts, "uncap: 1 exception", ["bias −40 %"], [{"measure": "bias", "others": 2}])
    assert became == SENT
    (kind, document), *others = receiver.received
    assert (others, kind) == ([], "application/json; charset=utf-8")
    assert document == {
        "text": "uncap: 1 exception\nbias −40 %",
        "title": "uncap: 1 exception",
        "lines": ["bias −40 %"],
        "exceptions": [{"measure": "bias", "others": 2}],
    }


def test_without_a_webhook_nothing_is_sent(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(WEBHOOK, raising=False)
    assert send_alert(settings.alerts, "title", []) == NO_WEBHOOK
    assert tell_failed(settings, "score-1", "why") is None


def test_a_webhook_that_refuses_is_told_without_its_address(settings: Settings, receiver: Receiver) -> None:
    receiver.answer = 403
    told = tell_failed(settings, "score-1", "raw.order_lines: none")
    assert told == "the alert could not be sent: the webhook answered 403"


def test_a_webhook_that_does_not_answer_is_given_up(settings: Settings, receiver: Receiver) -> None:
    receiver.hold.clear()
    hurried = settings.alerts.model_copy(update={"timeout_seconds": 0.2})
    assert send_alert(hurried, "title", []) == "the alert could not be sent: TimeoutError"


@pytest.mark.parametrize("address", [f"http://127.0.0.1:1/{POSTER}", f"ftp://example.com/{POSTER}", f"http://[{POSTER}", POSTER])
def test_an_address_that_leads_nowhere_fails_no_run_and_is_not_repeated(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv(WEBHOOK, address)
    told = send_alert(settings.alerts, "title", [])
    assert told.startswith("the alert could not be sent: ")
    assert POSTER not in told


def test_a_reason_that_quotes_a_file_name_which_is_no_text_is_told(settings: Settings, receiver: Receiver) -> None:
    assert tell_failed(settings, "load-1", "orders\udcff.csv: not a file") is None
    assert receiver.received[0][1]["lines"] == ["orders?.csv: not a file"]


def test_a_run_that_fails_is_told_with_its_reason(settings: Settings, receiver: Receiver) -> None:
    error = InputDataError(["raw.order_lines: 3 rows without a date"], hint="correct the file")
    assert tell_failed(settings, "load-20260101T000000-p1", error.message) is None
    document = receiver.received[0][1]
    assert document["title"] == "uncap: load-20260101T000000-p1 failed"
    assert document["lines"] == ["raw.order_lines: 3 rows without a date"]


def test_a_score_that_fails_and_one_that_died_before_are_both_told(place: Place, uncap: Command, receiver: Receiver) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with open_warehouse(place.settings) as con:
        began = datetime(2024, 1, 10, tzinfo=UTC)
        killed = start_run(con, "score", as_of=None, started_at=began, process_id=gone.pid, code_version="0")
    assert uncap(place, "score") == 2
    died, failed = (document for _, document in receiver.received)
    assert died["title"] == "uncap: 1 runs died"
    assert str(died["text"]).splitlines()[1].startswith(killed)
    assert str(failed["title"]).startswith("uncap: score-")
    assert failed["lines"] == ["raw.order_lines: no order is loaded"]
