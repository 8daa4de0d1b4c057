"""Bytes to frames and back, incremental and pure."""
