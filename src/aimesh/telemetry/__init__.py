"""Logs and counters: what an operator sees of a running gateway."""
