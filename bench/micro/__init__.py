"""Pieces of a call's path, timed alone: ``python -m bench.micro``."""
