import pytest
from tests.support.catalogs import catalog

from aimesh.catalog.snapshot import Catalog, Endpoint, moved
from aimesh.core.ids import EndpointName, InterfaceId, ModelName
from aimesh.core.origin import Origin

FILES = {
    "providers/one_bj.yaml": """
name: One
base_urls: {openai: "https://one.example/compat/v1/", anthropic: "http://one.example:8080"}
auth: bearer
speaks: {open_ai: {}, anthropic: {}}
traits: {developer_role: false}
""",
    "providers/two_bj.yaml": """
name: Two
base_url: https://two.example
auth: x_api_key
speaks: {open_ai: {path: /own/chat}, dashscope_video: {}}
""",
    "models/m.yaml": """
vendor: V
models:
  - name: v/m
    kind: chat
    max_output: 1000
    aliases: [m]
    traits: {anthropic_beta: false}
    endpoints:
      - {provider: one_bj, interfaces: [open_ai, anthropic], as: up-1,
         price: {currency: USD, source: T, date: "2026", tiers: [{input: 1, output: 1}]}}
      - {provider: two_bj, interfaces: [open_ai], as: up-2, max_output: 10, traits: {developer_role: true},
         price: {currency: CNY, source: T, date: "2026", tiers: [{input: 6, output: 6}]}}
  - name: v/unknown
    kind: chat
    endpoints:
      - {provider: one_bj, interfaces: [open_ai]}
      - {provider: two_bj, interfaces: [open_ai], as: x, enabled: false}
  - name: v/film
    kind: video
    endpoints: [{provider: two_bj, interfaces: [dashscope_video], as: film}]
  - {name: v/gone, kind: chat, enabled: false}
""",
}


@pytest.fixture(scope="module")
def made() -> Catalog:
    return catalog(FILES)


def _endpoint(made: Catalog, name: str) -> Endpoint:
    return made.endpoints[EndpointName(name)]


def test_names_aliases_and_endpoint_names_are_found(made: Catalog) -> None:
    by_name, by_alias = made.find("v/m"), made.find("m")
    assert by_name is not None
    assert by_name == by_alias
    assert by_name.pinned is None
    pinned = made.find("two_bj@v/m@open_ai")
    assert pinned is not None
    assert pinned.pinned is not None
    assert (pinned.model, pinned.pinned.upstream_name) == (by_name.model, "up-2")
    for name in ("V/M", "v/m ", "one_bj@m@open_ai", "v/gone", ""):
        assert made.find(name) is None


def test_endpoints_are_ranked_by_price_over_currencies(made: Catalog) -> None:
    ranked = made.endpoints_for(ModelName("v/m"), InterfaceId("open_ai"))
    assert [each.provider for each in ranked] == ["two_bj", "one_bj"]
    assert [each.blended_rank for each in ranked] == [6_000_000_000, 7_000_000_000]
    assert made.endpoints_for(ModelName("v/m"), InterfaceId("task")) == ()


def test_an_endpoint_knows_where_it_leads(made: Catalog) -> None:
    chat, messages = _endpoint(made, "one_bj@v/m@open_ai"), _endpoint(made, "one_bj@v/m@anthropic")
    assert (chat.base_url, chat.prefix, chat.path) == (
        "https://one.example/compat/v1",
        "/compat/v1",
        "/compat/v1/chat/completions",
    )
    assert chat.origin == Origin(host="one.example", port=443, tls=True)
    assert chat.host == "one.example"
    assert messages.origin == Origin(host="one.example", port=8080, tls=False)
    assert messages.host == "one.example:8080"
    assert messages.path == "/v1/messages"
    film = _endpoint(made, "two_bj@v/film@dashscope_video")
    assert film.prefix == ""
    assert (film.paths.task, film.paths.cancel, film.paths.list) == (
        "/tasks/{id}",
        "/tasks/{id}/cancel",
        "/tasks",
    )
    assert _endpoint(made, "two_bj@v/m@open_ai").path == "/own/chat"


def test_traits_and_limits_merge_downwards(made: Catalog) -> None:
    one, two = _endpoint(made, "one_bj@v/m@open_ai"), _endpoint(made, "two_bj@v/m@open_ai")
    assert (one.traits.developer_role, two.traits.developer_role) == (False, True)
    assert (one.traits.anthropic_beta, two.traits.anthropic_beta) == (False, False)
    assert (one.max_output, two.max_output) == (1000, 10)
    assert (one.auth, two.auth) == ("bearer", "x_api_key")


def test_what_cannot_be_called_is_listed_only(made: Catalog) -> None:
    found = made.find("v/unknown")
    assert found is not None
    assert [each.is_callable for each in found.model.endpoints] == [False, False]
    assert found.model.interfaces == ()
    assert made.endpoints_for(ModelName("v/unknown"), InterfaceId("open_ai")) == ()
    assert made.find("one_bj@v/unknown@open_ai") is not None


def test_rebasing_keeps_every_path() -> None:
    rebased = catalog(FILES, rebase="http://127.0.0.1:9/sim/")
    for name, endpoint in catalog(FILES).endpoints.items():
        other = rebased.endpoints[name]
        assert other.origin == Origin(host="127.0.0.1", port=9, tls=False)
        assert other.path == f"/sim/{endpoint.provider}{endpoint.path}"


def test_moving_a_base_url() -> None:
    assert moved("https://a.example/x/y", "http://b:1/") == "http://b:1/x/y"
    assert moved("https://a.example", "http://b:1/p") == "http://b:1/p"


def test_patterns_are_expanded_against_it(made: Catalog) -> None:
    assert made.allowed(["v/*"]) == {"v/m", "v/unknown", "v/film"}
    assert made.allowed(["m"]) == {"v/m"}
