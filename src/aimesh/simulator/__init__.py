"""Faithful stand-ins for the providers, on loopback."""
