"""The walk of one call, from bytes to bytes. Start at ``pipeline.py``."""
