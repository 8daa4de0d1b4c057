"""Names of models: how a caller's word finds a model or an endpoint, and what a key's patterns allow.

1. A word is a public identifier, an alias, or a whole endpoint name ``provider@model@interface``, exactly.
2. A pattern is matched against public identifiers; ``*`` stands for any text, slashes included; nothing else
   is special. An exact pattern may also be an alias.
3. Patterns are expanded against the catalogue once; a call asks a set. Time grows with the length of a pattern and
   of the names, whatever the pattern: it is somebody else's to choose.
"""

from collections.abc import Callable, Collection, Iterable, Mapping

from aimesh.core.ids import EndpointName, InterfaceId, ModelName, ProviderId


def endpoint_name(provider: ProviderId, model: ModelName, interface: InterfaceId) -> EndpointName:
    return EndpointName(f"{provider}@{model}@{interface}")


def matches(pattern: str, name: str) -> bool:
    return _matcher(pattern)(name)


def expand(
    patterns: Iterable[str], names: Collection[ModelName], aliases: Mapping[str, ModelName]
) -> frozenset[ModelName]:
    """The models that the patterns allow. No patterns allow nothing; ``*`` allows every model."""
    allowed: set[ModelName] = set()
    for pattern in patterns:
        if "*" in pattern:
            allowed.update(filter(_matcher(pattern), names))
        elif pattern in names:
            allowed.add(ModelName(pattern))
        if pattern in aliases:
            allowed.add(aliases[pattern])
    return frozenset(allowed)


def _matcher(pattern: str) -> Callable[[str], bool]:
    if "*" not in pattern:
        return lambda name: name == pattern
    first, *between, last = pattern.split("*")

    def fits(name: str) -> bool:
        at, end = len(first), len(name) - len(last)
        if at > end or not name.startswith(first) or not name.endswith(last):
            return False
        for piece in between:
            # The first place is the best: it leaves the most to the pieces after it.
            at = name.find(piece, at, end)
            if at < 0:
                return False
            at += len(piece)
        return True

    return fits
