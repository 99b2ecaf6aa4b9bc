"""Keeps secrets out of a stream: a Wi-Fi password must not get into logs, reports or messages."""

from __future__ import annotations

import json

MASK = b"********"
SHOWN_MOST = 4  # bytes of a secret's start that may go out when nothing follows: a prompt's length
SHORTEST = 5  # shorter ones are no secrets (WPA: 8 to 63 characters) and would mask everything


def spellings(secret: str) -> list[bytes]:
    """How a program may print `secret`: as it is, as JSON, as Python's repr; longest first."""
    forms = {secret, json.dumps(secret)[1:-1], repr(secret)[1:-1], ascii(secret)[1:-1]}
    return sorted((f.encode() for f in forms if len(f) >= SHORTEST), key=len, reverse=True)


class Redactor:
    """Masks `secrets` in a stream of bytes, whatever pieces it comes in."""

    def __init__(self, *secrets: str) -> None:
        self._secrets = [s for secret in secrets for s in spellings(secret)]
        self._held = b""  # may be the start of a secret; nothing of it is out but the first _out
        self._out = 0

    def feed(self, data: bytes) -> bytes:
        """What may go on now."""
        raw, out = self._held + data, self._out
        result = b""
        while raw:
            for secret in self._secrets:
                if raw.startswith(secret):
                    result, raw, out = result + MASK, raw[len(secret) :], 0
                    break
            else:
                if any(secret.startswith(raw) for secret in self._secrets):
                    break  # wait for more
                result += raw[:1] if not out else b""
                raw, out = raw[1:], max(0, out - 1)
        self._held, self._out = raw, out
        return result

    def flush(self) -> bytes:
        """Nothing has come for a while: a short start of a secret may go on, a longer one stays.

        A prompt may look like the start of a secret; without it the console would seem dead.
        """
        if len(self._held) > SHOWN_MOST:
            return b""
        result, self._out = self._held[self._out :], len(self._held)
        return result


def redact(text: str, *secrets: str) -> str:
    """`text` with the secrets masked."""
    for secret in secrets:
        for form in spellings(secret):
            text = text.replace(form.decode(), MASK.decode())
    return text
