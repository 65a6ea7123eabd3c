"""How is a password given to PostgreSQL without the server, its logs or anyone who reads them seeing it?

RFC 5802 and 7677, as PostgreSQL stores it (``pg_authid.rolpassword``): with S = PBKDF2-HMAC-SHA-256(password, salt, rounds),

    SCRAM-SHA-256$<rounds>:<salt>$<H(HMAC(S, "Client Key"))>:<HMAC(S, "Server Key")>

each in base 64, H being SHA-256.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode

from contracts.errors import ConfigurationError

ROUNDS = 4096
"""As PostgreSQL itself takes by default."""

SALT_BYTES = 16
LEAST_CHARACTERS = 12


def scram_verifier(password: str, salt: bytes, *, called: str) -> str:
    """Return what PostgreSQL stores of a password.

    Parameters
    ----------
    password
        Printable ASCII: of other characters the same text can be typed in several ways.
    salt
        Random bytes.
    called
        The name of the setting, for the message.

    Raises
    ------
    ConfigurationError
        If the password is too short or has other characters; it is not shown.

    Examples
    --------
    The example of RFC 7677:

    >>> import base64
    >>> scram_verifier("pencil-pencil", base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), called="PASSWORD")[:43]
    'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ=='
    >>> scram_verifier("short", b"", called="PASSWORD")
    Traceback (most recent call last):
    contracts.errors.ConfigurationError: PASSWORD: 5 characters; expected at least 12, printable ASCII
    Hint: set a longer one, such as `openssl rand -hex 16` gives, or none
    """
    if len(password) < LEAST_CHARACTERS or not (password.isascii() and password.isprintable()):
        raise ConfigurationError(
            f"{called}: {len(password)} characters; expected at least {LEAST_CHARACTERS}, printable ASCII",
            hint="set a longer one, such as `openssl rand -hex 16` gives, or none",
        )
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, ROUNDS)
    stored_key = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    words = (b64encode(part).decode("ascii") for part in (salt, stored_key, server_key))
    return "SCRAM-SHA-256${}:{}${}:{}".format(ROUNDS, *words)
