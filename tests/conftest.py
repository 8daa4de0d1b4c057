"""Hypothesis for the whole suite: reproducible runs, and no verdicts about a busy machine's speed."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "aimesh", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("aimesh")
