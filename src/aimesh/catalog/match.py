"""Names of models: how a caller's word finds a model or an endpoint, and what a key's patterns allow.

1. A word is a public identifier, an alias, or a whole endpoint name ``provider@model@interface``, exactly.
2. A pattern is matched against public identifiers; ``*`` stands for any text, slashes included; nothing else
   is special. An exact pattern may also be an alias.
3. Patterns are expanded against the catalogue when a snapshot is made; a call asks a set.
"""

import re
from collections.abc import Iterable, Mapping

from aimesh.core.ids import EndpointName, InterfaceId, ModelName, ProviderId


def endpoint_name(provider: ProviderId, model: ModelName, interface: InterfaceId) -> EndpointName:
    return EndpointName(f"{provider}@{model}@{interface}")


def matches(pattern: str, name: str) -> bool:
    if "*" not in pattern:
        return pattern == name
    expression = ".*".join(re.escape(piece) for piece in pattern.split("*"))
    return re.fullmatch(expression, name, re.DOTALL) is not None


def expand(
    patterns: Iterable[str], names: Iterable[ModelName], aliases: Mapping[str, ModelName]
) -> frozenset[ModelName]:
    """The models that the patterns allow. No patterns allow nothing; ``*`` allows every model."""
    known = tuple(names)
    allowed: set[ModelName] = set()
    for pattern in patterns:
        allowed.update(name for name in known if matches(pattern, name))
        if pattern in aliases:
            allowed.add(aliases[pattern])
    return frozenset(allowed)
