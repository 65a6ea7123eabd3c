"""How does somebody who watches no screen learn of an alert or of a failed run: a JSON document posted to a webhook."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException
from urllib.parse import urlsplit

from flows.alert_settings import WEBHOOK, Alerts, webhook_url

NO_WEBHOOK = "no webhook is set"
SENT = "sent"


def send_alert(settings: Alerts, title: str, lines: Sequence[str], exceptions: Sequence[dict[str, object]] = ()) -> str:
    """Post an alert to the address in ``UNCAP_ALERT_WEBHOOK``, and never fail: what became of it is returned.

    The document has ``text`` (title and lines; the field that Slack, Mattermost, Teams and Rocket.Chat show), ``title``, ``lines`` and
    ``exceptions``. The address is a secret: neither it nor a part of it is in what is returned.

    Parameters
    ----------
    settings
        How long to wait.
    title
        What happened, a line.
    lines
        What is to be known of it, a line each.
    exceptions
        The same for programs.

    Returns
    -------
    str
        ``sent``, ``no webhook is set``, or why it could not be sent. Nothing is kept to be sent later: the next run finds an exception that
        lasts again, and a failed run stands in ``scored.runs``.
    """
    address = webhook_url()
    if address is None:
        return NO_WEBHOOK
    document = {"text": "\n".join([title, *lines]), "title": title, "lines": list(lines), "exceptions": list(exceptions)}
    # a reason may quote a file name that is no text
    body = json.dumps(document, ensure_ascii=False, default=str).encode(errors="replace")
    return _post(address, body, settings.timeout_seconds)


def _post(address: str, body: bytes, timeout_seconds: float) -> str:
    try:
        if urlsplit(address).scheme not in ("https", "http"):
            return f"the alert could not be sent: {WEBHOOK} is no http or https address"
        headers = {"Content-Type": "application/json; charset=utf-8"}
        request = urllib.request.Request(address, data=body, headers=headers, method="POST")  # noqa: S310 - http or https, seen to above
        with urllib.request.urlopen(request, timeout=timeout_seconds):  # noqa: S310 - the same
            return SENT
    except urllib.error.HTTPError as error:
        return f"the alert could not be sent: the webhook answered {error.code}"
    except (OSError, HTTPException, ValueError) as error:
        return f"the alert could not be sent: {type(error).__name__}"
