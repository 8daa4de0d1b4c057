"""Counted units of one call. Nothing here knows a price.

1. ``input_tokens`` is the whole prompt: cached reads and cache writes are inside it, whatever the upstream's
   own convention (Anthropic excludes them; its reader adds them).
2. ``output_tokens`` is everything generated: reasoning is inside it.
3. A unit that the upstream did not report is 0, and ``reported`` says whether any of it came from the upstream.
   An estimate is marked ``reported=False``; it is never passed off as a fact.
"""

from msgspec import Struct


class Usage(Struct, frozen=True, omit_defaults=True, gc=False):
    reported: bool = True
    """False: estimated by us, because the upstream gave none."""
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    """Part of ``input_tokens`` served from a prompt cache."""
    cache_write_tokens: int = 0
    """Part of ``input_tokens`` written to a cache, all lifetimes together."""
    cache_write_1h_tokens: int = 0
    """Part of ``cache_write_tokens`` with the one-hour lifetime."""
    reasoning_tokens: int = 0
    """Part of ``output_tokens``."""
    input_image_tokens: int = 0
    """Part of ``input_tokens`` that stands for pictures or video."""
    input_audio_tokens: int = 0
    """Part of ``input_tokens`` that stands for sound and was not served from a cache."""
    output_audio_tokens: int = 0
    images: int = 0
    """Pictures produced and not moderated away."""
    video_seconds: float = 0.0
    """Billed seconds."""
    video_resolution: str = ""
    """As the upstream reports it: ``720``, ``1080p``."""
    video_ratio: str = ""
    video_audio: bool = False
    input_video: bool = False
    assets: int = 0
    """3D files produced."""
    variant: str = ""
    """Flags that choose a price and that the answer does not repeat, e.g. ``1536pro+texture``."""
    explicit_cached_tokens: int = 0
    """Part of ``cached_tokens`` from a cache that the caller asked for, where that is known."""
    input_video_tokens: int = 0
    """Part of ``input_image_tokens`` that stands for video, where the upstream tells it apart."""


NO_USAGE = Usage(reported=False)
