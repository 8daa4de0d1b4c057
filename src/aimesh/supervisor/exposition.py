"""Several processes' counters as one text for Prometheus (text format 0.0.4).

Samples of a family stand together under one ``# HELP`` and ``# TYPE``, each with a further label that says whose they
are. A line that cannot be read is left out rather than passed on.
"""

import re
from collections.abc import Mapping

_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+(?: -?\d+)?)")
_META = re.compile(r"# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)")


class _Family:
    def __init__(self) -> None:
        self.meta: dict[str, str] = {}
        self.samples: list[str] = []


def merge(texts: Mapping[str, str], label: str) -> str:
    """``texts``: the value of the label to the text of that process."""
    families: dict[str, _Family] = {}
    for whose, text in texts.items():
        family = _Family()
        for line in text.split("\n"):
            if (meta := _META.fullmatch(line)) is not None:
                family = families.setdefault(meta[2], _Family())
                family.meta.setdefault(meta[1], line)
            elif (sample := _SAMPLE.fullmatch(line)) is not None:
                name, labels, value = sample.groups()
                own = f'{label}="{whose}"'
                family.samples.append(f"{name}{{{labels + ',' + own if labels else own}}} {value}")
    lines = []
    for family in families.values():
        lines += [family.meta[kind] for kind in ("HELP", "TYPE") if kind in family.meta]
        lines += family.samples
    return "".join(f"{line}\n" for line in lines)
