"""Named deviations of providers, models and endpoints: the closed list.

Code asks for a trait, never for a provider's name. The catalogue's YAML sets traits in three layers (provider <
model < endpoint); unset means the default below, which is what the interface's own documentation says.
A trait that no code reads is deleted (``tests/rules`` checks).
"""

from typing import Literal

from msgspec import Struct


class Traits(Struct, frozen=True, forbid_unknown_fields=True):
    usage_in_stream: Literal["option", "always", "never"] = "option"
    """``option``: a chat stream reports usage only when ``stream_options.include_usage`` asks for it."""
    developer_role: bool = True
    """False: the upstream answers 400 to the role ``developer``; it becomes ``system`` on the way up."""
    base64_embeddings: bool = True
    """False: the upstream knows only float vectors; base64 is made here."""
    anthropic_version: str = ""
    """Fixed ``anthropic-version`` for hosts that know only one; empty: the caller's value is relayed."""
    anthropic_beta: bool = True
    """False: the host rejects unknown ``anthropic-beta`` values, so the header stays here."""
    count_tokens: bool = False
    """True: the upstream serves ``/messages/count_tokens``."""
    video_media: bool = False
    """True: pictures of a DashScope video request travel as ``input.media`` (HappyHorse, wan 2.7), so
    ``img_url`` and ``ref_img_url`` are mapped to it and ``size`` to ``resolution`` + ``ratio``."""
    image_sequence: bool = True
    """Whether a Seedream model can make several pictures (``sequential_image_generation``)."""


DEFAULT_TRAITS = Traits()
