"""How is a text written without the passwords of addresses in it, wherever in a message they stand?"""

from __future__ import annotations

import re

# up to the last @ before a space: a password whose own @ or / was not encoded must not show either
_IN_ADDRESS = re.compile(r"(\w://[^\s/:@?#]*):[^\s\"]*@")
_IN_QUERY = re.compile(r"\b((?:ssl)?password|passfile|token|api_key)=[^&\s\"]+", re.IGNORECASE)


def masked(text: str) -> str:
    """Return a text with stars for passwords.

    Messages of libraries may quote an address whole, so everything that is printed, logged or stored of a failure goes through here.

    Examples
    --------
    >>> masked("postgresql://uncap:s3c/r@t@db:5432/uncap cannot be reached")
    'postgresql://uncap:***@db:5432/uncap cannot be reached'
    >>> masked("http://keeper:x@mlflow.example.org/api?token=abc&page=2 answered 401")
    'http://keeper:***@mlflow.example.org/api?token=***&page=2 answered 401'
    >>> masked("postgresql://uncap:it's@db/uncap?sslpassword=o'clock"), masked("'http://uncap:x@db' is away")
    ('postgresql://uncap:***@db/uncap?sslpassword=***', "'http://uncap:***@db' is away")
    >>> masked("http://127.0.0.1:4200/api does not answer; write to ops@example.org")
    'http://127.0.0.1:4200/api does not answer; write to ops@example.org'
    """
    return _IN_QUERY.sub(r"\1=***", _IN_ADDRESS.sub(r"\1:***@", text))


def has_password(address: str) -> bool:
    """Return whether an address brings a password along.

    >>> has_password("postgresql://uncap:secret@db/uncap"), has_password("postgresql://uncap@db/uncap"), has_password("data/w.duckdb")
    (True, False, False)
    """
    return masked(address) != address
