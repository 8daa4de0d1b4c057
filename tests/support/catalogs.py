"""Small catalogues for tests, written as YAML like the real ones."""

from aimesh.catalog.load import parse
from aimesh.catalog.schema import BuiltIn
from aimesh.catalog.snapshot import Catalog, compile_catalog


def built_in(files: dict[str, str]) -> BuiltIn:
    """Data files by their relative names: ``providers/x.yaml``, ``models/y.yaml``."""
    return parse({name: text.encode() for name, text in files.items()})


def catalog(files: dict[str, str], *, rebase: str = "") -> Catalog:
    parts = built_in(files)
    return compile_catalog(parts.providers, parts.models, rebase=rebase)
