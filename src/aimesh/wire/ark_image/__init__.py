"""Seedream pictures: ``/api/v3/images/generations``."""
