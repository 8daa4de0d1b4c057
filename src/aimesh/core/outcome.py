"""How a call ended: a closed set."""

from enum import StrEnum


class Outcome(StrEnum):
    OK = "ok"
    """The caller got the whole good answer."""
    REFUSED_UPSTREAM = "refused_upstream"
    """The upstream blamed the caller (400, 413, 415, 422, moderation); its answer was relayed."""
    REFUSED = "refused"
    """Refused by us after planning: a feature that no endpoint of the plan can carry."""
    UPSTREAM_FAILED = "upstream_failed"
    """Every attempt failed before a byte went to the caller."""
    BROKEN_STREAM = "broken_stream"
    """The upstream broke off after bytes went to the caller; the caller got an error event."""
    CLIENT_GONE = "client_gone"
    """The caller hung up before the end."""
    GATEWAY_ERROR = "gateway_error"
    """A fault of ours after planning; alarmed."""
    LOST = "lost"
    """The ticket was left without settling: a bug, alarmed."""
