"""The operator's file of the chaos tests: two providers of our own at the simulator, cheap before dear.

``alpha`` is cheaper than ``beta``, so every plan is ``alpha`` then ``beta``. The limits are tiny.
"""

import json
from pathlib import Path
from typing import Any

KEY = "ck-chaos-0123456789abcdefghijklmnopqrstuvwxyz"
SECOND_KEY = "ck-second-0123456789abcdefghijklmnopqrstuvwx"
ALPHA_SECRET = "alpha-secret-5f0c9a7d31"
BETA_SECRET = "beta-secret-8b2e6c4f90"

TEXT = "chaos/text"
VECTOR = "chaos/vector"
IMAGE = "chaos/image"
VIDEO = "chaos/video"

_INTERFACES = {
    TEXT: ("chat", ["open_ai", "anthropic", "responses"]),
    VECTOR: ("embedding", ["open_ai_embedding", "ark_embedding", "dashscope_embedding"]),
    IMAGE: ("image", ["ark_image"]),
    VIDEO: ("video", ["task", "dashscope_video"]),
}
_PATHS = {"openai": "/v1", "anthropic": "", "ark": "/api/v3", "dashscope": "/api/v1"}

Config = dict[str, Any]
"""The file as JSON, which is YAML."""


def chaos_config(simulator_url: str, *, providers: dict[str, str] | None = None) -> Config:
    """``providers``: id to origin, cheapest first; default: ``alpha`` and ``beta`` at the simulator."""
    providers = providers or {name: f"{simulator_url}/{name}" for name in ("alpha", "beta")}
    speaks: dict[str, Config] = {interface: {} for _, names in _INTERFACES.values() for interface in names}
    secrets = {"alpha": ALPHA_SECRET, "beta": BETA_SECRET}
    return {
        "listen": ["127.0.0.1:0"],
        "admin_listen": ["127.0.0.1:0"],
        "workers": 1,
        "credentials_from_environment": False,
        "providers": {
            name: {
                "name": f"Provider {name}",
                "base_urls": {family: origin + path for family, path in _PATHS.items()},
                "auth": "bearer",
                "speaks": speaks,
            }
            for name, origin in providers.items()
        },
        "credentials": {name: secrets.get(name, f"{name}-secret-0a1b2c3d4e") for name in providers},
        "models": [
            {
                "name": model,
                "kind": kind,
                "endpoints": [
                    {
                        "provider": name,
                        "interfaces": interfaces,
                        "as": f"{name}-t2v" if kind == "video" else f"{name}-model",
                        "price": _price(kind, rank),
                    }
                    for rank, name in enumerate(providers, start=1)
                ],
            }
            for model, (kind, interfaces) in _INTERFACES.items()
        ],
        "virtual_keys": [{"alias": "chaos", "key": KEY}, {"alias": "second", "key": SECOND_KEY}],
        "timeouts": {
            "connect_s": 0.5,
            "first_byte_stream_s": 0.6,
            "first_byte_whole_s": 0.6,
            "idle_s": 0.6,
            "drain_s": 10,
        },
        "routing": {"attempts": 4},
        "journal": {"segment_bytes": 1 << 20},
        "log": {"format": "json"},
    }


def _price(kind: str, rank: int) -> dict[str, Any]:
    price: dict[str, Any] = {"currency": "CNY"}
    if kind == "image":
        return price | {"per_image": rank}
    if kind == "video":
        return price | {"per_second": {"720p": rank}}
    return price | {"tiers": [{"input": rank, "output": rank}]}


def patient(config: Config) -> Config:
    """With the usual limits: load on a busy machine must not look like a fault of the upstream."""
    return config | {"timeouts": {"drain_s": 5}}


def write_config(file: Path, config: Config) -> None:
    """In one step: a gateway that reads it at this moment sees the old file or the new one."""
    new = file.with_suffix(".new")
    new.write_text(json.dumps(config, indent=1), encoding="utf-8")
    new.replace(file)
