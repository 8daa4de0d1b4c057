"""Process settings: the operator's file, the environment and the built-in catalogue become one frozen value; what the
database adds comes between them (``merge.py``).

1. The only room that knows variables of the environment; the mapping itself is an argument.
2. No text that leaves this room holds a secret.
"""

from aimesh.routing.candidate import Credential
from aimesh.settings.compile import compile_settings, compile_source
from aimesh.settings.file import FILE_NAME, Source, home_directory, read_source
from aimesh.settings.merge import (
    NO_OVERLAYS,
    Overlays,
    is_simulated,
    overlaid_catalog,
    overlaid_entries,
    read_overlays,
    with_catalog,
)
from aimesh.settings.values import (
    Address,
    Credentials,
    Settings,
    VirtualKey,
    is_header_text,
    parse_address,
)

__all__ = [
    "FILE_NAME",
    "NO_OVERLAYS",
    "Address",
    "Credential",
    "Credentials",
    "Overlays",
    "Settings",
    "Source",
    "VirtualKey",
    "compile_settings",
    "compile_source",
    "home_directory",
    "is_header_text",
    "is_simulated",
    "overlaid_catalog",
    "overlaid_entries",
    "parse_address",
    "read_overlays",
    "read_source",
    "with_catalog",
]
