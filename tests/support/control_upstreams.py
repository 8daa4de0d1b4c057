"""The admin API over providers that answer, all of them the simulator: ``alpha`` with a key of the file, ``beta``
without one, and ``gamma``, which only makes pictures."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.chaos_config import ALPHA_SECRET, IMAGE, chaos_config
from tests.support.control import Control, opened_control
from tests.support.simulation import LiveSimulator

from aimesh.store.engine import Store

PROVIDERS = ("alpha", "beta", "gamma")


def upstream_yaml(simulator_url: str, **more: Any) -> str:
    config = chaos_config(simulator_url)
    gamma = config["providers"]["beta"] | {
        "name": "Only Pictures",
        "title_zh": "只有图片",
        "base_urls": {"ark": f"{simulator_url}/gamma/api/v3"},
        "speaks": {"ark_image": {}},
    }
    config["providers"]["gamma"] = gamma
    for model in config["models"]:
        if model["name"] == IMAGE:
            model["endpoints"].append({"provider": "gamma", "interfaces": ["ark_image"], "as": "gamma-model"})
    config |= {"credentials": {"alpha": {"main": ALPHA_SECRET}}, "virtual_keys": []}
    return json.dumps(config | more)


@contextmanager
def opened_upstreams(store: Store, home: Path, simulator: LiveSimulator, /, **more: Any) -> Iterator[Control]:
    """``more``: further sections of the file."""
    simulator.clear()
    with opened_control(store, home, upstream_yaml(simulator.url, **more)) as control:
        yield control
