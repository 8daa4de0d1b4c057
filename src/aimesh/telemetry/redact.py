"""Takes out what looks like a secret, wherever free text goes to a log."""

import re

_SECRET = re.compile(
    rb"""
    (?<![0-9A-Za-z])(?:ck|sk|ak|rk|pk)-[0-9A-Za-z_-]{12,}     # keys of ours and of most providers
    | (?<![0-9A-Za-z])(?:LTAI|AKLT|AKIA|AIza)[0-9A-Za-z_-]{12,}  # access keys of clouds
    | (?<![0-9A-Za-z])ey[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]*  # signed tokens
    | (?P<scheme>\b(?:Bearer|Basic)\s+)[^\s"'\\,;]+
    | (?P<header>\b(?:x-api-key|x-dashscope-apikey|api[_-]?key|authorization|password|secret)\\?["']?\s*[:=]\s*\\?["']?)
      (?!(?:Bearer|Basic)\s)[^\s"'\\,;]+
    """,
    re.IGNORECASE | re.VERBOSE,
)
_KEPT_BYTES = 3


def redact(text: bytes) -> bytes:
    """``Bearer ck-abc...`` becomes ``Bearer ****``, a bare key its prefix and stars."""
    return _SECRET.sub(_replacement, text)


def redact_text(text: str) -> str:
    return redact(text.encode("utf-8", "replace")).decode()


def _replacement(match: re.Match[bytes]) -> bytes:
    kept = match["scheme"] or match["header"]
    return (match[0][:_KEPT_BYTES] if kept is None else kept) + b"****"
