"""Faults that only the names of other entries show. The places are tested with whole files in
``test_load.py`` and ``tests/settings/test_compile.py``; here every branch is reached once."""

import pytest
from tests.support.catalogs import built_in

from aimesh.catalog.problem import ConfigError

PROVIDER = 'name: P\nbase_url: "https://p"\nauth: bearer\nspeaks: {open_ai: {}}\n'


def _messages(provider: str = PROVIDER, price: str = "", endpoint: str = "") -> list[str]:
    models = (
        "vendor: V\nmodels:\n  - name: m\n    kind: chat\n    endpoints:\n"
        f"      - {{provider: p_bj, interfaces: [open_ai], as: x{endpoint}}}\n"
    )
    if price:
        models = models.replace("as: x", f'as: x, price: {{currency: CNY, source: T, date: "2026", {price}}}')
    try:
        built_in({"providers/p_bj.yaml": provider, "models/m.yaml": models})
    except ConfigError as error:
        return [f"{each.message} / {each.suggestion}" for each in error.problems]
    return []


def test_a_sound_layer_has_no_problem() -> None:
    assert _messages() == []
    assert _messages(price="tiers: [{up_to: 5, input: 1}, {input: 2}]") == []


@pytest.mark.parametrize(
    ("provider", "words"),
    [
        ("name: P\n", "speaks no interface"),
        ("name: P\nspeaks: {open_ai: {}}\n", "no base URL for open_ai / add base_urls.openai or base_url"),
        (PROVIDER.replace("{open_ai: {}}", "{open_ai: {path: chat}}"), "a path begins with '/' / /chat"),
        (PROVIDER.replace("{open_ai: {}}", "{open_ai: {task: /x}}"), "open_ai has no path 'task'"),
        (PROVIDER.replace("{open_ai: {}}", "{open_ai: {path: '/x y'}}"), "no request can carry"),
        (PROVIDER.replace("{open_ai: {}}", r'{open_ai: {path: "/x\r\nhost: y"}}'), "no request can carry"),
        (PROVIDER.replace("https://p", "https://p:99999"), "no URL: Port out of range"),
        (PROVIDER.replace("https://p", "https://p:0"), "no URL: a host or a port is missing"),
        (PROVIDER.replace("https://p", "https://:80"), "no URL: a host or a port is missing"),
        (PROVIDER.replace("https://p", "https://[p"), "no URL: Invalid IPv6 URL"),
        (PROVIDER.replace("https://p", "https://p/ü"), "no request can carry"),
        (PROVIDER + "origin: https://p:x\n", "no URL: Port could not be cast"),
        (PROVIDER + "base_urls: {ark: 'https://p:x'}\n", "no URL: Port could not be cast"),
    ],
)
def test_faults_of_a_provider(provider: str, words: str) -> None:
    (message,) = _messages(provider)
    assert words in message


@pytest.mark.parametrize(
    ("whole", "broken"),
    [
        ("name: m", r'name: "m\n"'),
        ("as: x", r'as: "x\n"'),
        ("aliases: [n]", r'aliases: ["n\n"]'),
    ],
)
def test_a_name_ends_where_its_line_ends(whole: str, broken: str) -> None:
    """The patterns of the schema let a line break through at the end."""
    text = (
        "vendor: V\nmodels:\n  - name: m\n    kind: chat\n    aliases: [n]\n    endpoints:\n"
        "      - {provider: p_bj, interfaces: [open_ai], as: x}\n"
    )
    with pytest.raises(ConfigError, match="no request can carry"):
        built_in({"providers/p_bj.yaml": PROVIDER, "models/m.yaml": text.replace(whole, broken)})


@pytest.mark.parametrize(
    ("price", "words"),
    [
        ("tiers: []", "a price without an amount"),
        (
            "per_image: 1, dated: [{currency: CNY, source: T, date: '2026', per_image: 2}]",
            "a price of a limited time needs since or until",
        ),
        (
            "per_image: 1, dated: [{currency: CNY, per_image: 2, until: '2026-01-01T00:00:00Z'}]",
            "a built-in price needs a source and a date",
        ),
        ("per_image: 1, until: '2026-02-30T00:00:00Z'", "2026-02-30T00:00:00Z is no time"),
        ("tiers: [{up_to: 5}]", "a tier without an amount"),
        ("tiers: [{input: 1}, {input: 2}]", "only the last tier has no top"),
        ("tiers: [{up_to: 9, input: 1}, {up_to: 5, input: 2}]", "in the order of their tops"),
        ("per_image: 0.0000000000000000001", "decimal places"),
        (
            'tiers: [{input: 1}], windows: [{name: w, utc_offset: "+08:00", days: [mon], hours: ["10:00-09:00"], '
            "tiers: [{input: 1}]}]",
            "ends before it begins",
        ),
        (
            'tiers: [{input: 1}], windows: [{name: w, utc_offset: "+08:00", days: [mon], hours: ["10:00-11:00"], '
            "tiers: [{up_to: 1}]}]",
            "a tier without an amount",
        ),
    ],
)
def test_faults_of_a_price(price: str, words: str) -> None:
    (message,) = _messages(price=price)
    assert words in message


def test_an_endpoint_twice() -> None:
    models = (
        "vendor: V\nmodels:\n  - {name: m, kind: chat, endpoints: [{provider: p_bj, interfaces: [open_ai], as: x},"
        " {provider: p_bj, interfaces: [open_ai], as: y}]}\n"
    )
    with pytest.raises(ConfigError, match="a second endpoint p_bj@m@open_ai"):
        built_in({"providers/p_bj.yaml": PROVIDER, "models/m.yaml": models})


def test_an_endpoint_without_an_interface() -> None:
    models = "vendor: V\nmodels:\n  - {name: m, kind: chat, endpoints: [{provider: p_bj, interfaces: [], as: x}]}\n"
    with pytest.raises(ConfigError, match="needs an interface"):
        built_in({"providers/p_bj.yaml": PROVIDER, "models/m.yaml": models})
