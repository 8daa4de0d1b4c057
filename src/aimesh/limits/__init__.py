"""Quotas and rate limits: pure arithmetic over counted use."""
