"""Ids of what the control plane makes. They sort by time of creation and tell nothing else."""

import secrets


def new_id(prefix: str, now_s: float) -> str:
    """``usr_0190f2a4c1de5f3b9a77c0d2``; ``now_s`` is wall-clock seconds."""
    name = f"{int(now_s * 1000):012x}{secrets.token_hex(6)}"
    return f"{prefix}_{name}" if prefix else name


def line_id(now_s: float, order: int) -> str:
    """Of a line of the audit log; ``order`` sorts those that a process writes in one millisecond."""
    return f"{int(now_s * 1000):012x}{order & 0xFFFFFF:06x}{secrets.token_hex(3)}"
