"""Bytes and frames: incremental, sans-I/O, ignorant of what the frames say."""
