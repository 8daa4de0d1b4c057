"""Reads the built-in data files.

1. The YAML files are the truth. ``data/catalog.json`` is made from them and carries their digest; it is used
   only while the digest fits, so a changed file takes effect at once and merely costs the time of parsing it.
2. Parsing YAML takes some twenty times as long (33 ms against 1.4 ms) as reading the compiled file, which
   ``scripts/generate_reference.py`` makes; a reload does it on the loop of a running worker. A test refuses a
   stale one.
3. This is the only file of this room that touches the disk.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from aimesh.catalog.crosscheck import Layer, Merged, check, merged
from aimesh.catalog.decode import decode
from aimesh.catalog.document import read_document
from aimesh.catalog.problem import ConfigError, Problem
from aimesh.catalog.schema import BuiltIn, ModelEntry, ModelFile, ProviderEntry

DATA = Path(__file__).parent / "data"
COMPILED = DATA / "catalog.json"
_DECODER = msgspec.json.Decoder(BuiltIn)


def load_built_in() -> BuiltIn:
    """The built-in catalogue. Raises ``ConfigError`` when a data file is wrong."""
    files = read_files(DATA)
    digest = digest_of(files)
    try:
        compiled = _DECODER.decode(COMPILED.read_bytes())
    except (OSError, msgspec.MsgspecError):
        compiled = None
    if compiled is not None and compiled.digest == digest:
        return compiled
    return parse(files)


def read_files(data: Path) -> dict[str, bytes]:
    """Relative name to content of every YAML file, in order."""
    found = sorted([*data.glob("providers/*.yaml"), *data.glob("models/*.yaml")])
    return {path.relative_to(data).as_posix(): path.read_bytes() for path in found}


def digest_of(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def parse(files: Mapping[str, bytes]) -> BuiltIn:
    """The catalogue from its YAML files. Raises ``ConfigError`` with everything that is wrong."""
    problems: list[Problem] = []
    layers: list[Layer] = []
    for name, content in files.items():
        layer, wrong = _layer(name, content)
        problems.extend(wrong)
        if layer is not None:
            layers.append(layer)
    result = Merged(providers={}, models={})
    for layer in layers:
        problems.extend(_twice(layer, result))
        result = merged(result, layer)
    # Providers first: endpoints of one that is half defined would only repeat its fault.
    for of_providers in (True, False):
        if not problems:
            for layer in layers:
                if bool(layer.providers) is of_providers:
                    problems.extend(check(layer, result, result))
    if problems:
        raise ConfigError(problems)
    return BuiltIn(digest=digest_of(files), providers=result.providers, models=tuple(result.models.values()))


def encode(built_in: BuiltIn) -> bytes:
    """The compiled file, indented so that a change of the data shows as a change of few lines."""
    return msgspec.json.format(msgspec.json.encode(built_in), indent=1) + b"\n"


def _layer(name: str, content: bytes) -> tuple[Layer | None, list[Problem]]:
    document, problems = read_document(content.decode(), name)
    if problems:
        return None, problems
    if name.startswith("providers/"):
        provider, problems = decode(document, ProviderEntry)
        if provider is None:
            return None, problems
        provider_id = Path(name).stem
        return Layer(
            document=document, providers={provider_id: ((), provider)}, models=(), is_built_in=True
        ), []
    models, problems = decode(document, ModelFile)
    if models is None:
        return None, problems
    placed = tuple(
        (("models", index), _of_vendor(model, models.vendor)) for index, model in enumerate(models.models)
    )
    return Layer(document=document, providers={}, models=placed, is_built_in=True), []


def _of_vendor(model: ModelEntry, vendor: str) -> ModelEntry:
    return model if model.vendor else msgspec.structs.replace(model, vendor=vendor)


def _twice(layer: Layer, below: Merged) -> list[Problem]:
    """Between built-in files nothing is overlaid: a model has one home."""
    return [
        layer.document.problem((*path, "name"), f"the model '{model.name}' is defined in another file")
        for path, model in layer.models
        if model.name in below.models
    ]
