"""What the database says between the built-in catalogue and the operator's file."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from aimesh.catalog.problem import ConfigError, Problem
from aimesh.core.ids import CredentialId, EndpointName, ModelName, ProviderId, TenantId
from aimesh.core.secret import Secret
from aimesh.settings import (
    NO_OVERLAYS,
    Credential,
    Overlays,
    Settings,
    compile_settings,
    overlaid_catalog,
    read_overlays,
    with_catalog,
)
from aimesh.upstream.reach import candidate

Compile = Callable[..., Settings]
ONE, TWO = ProviderId("one"), ProviderId("two")
MODEL = ModelName("v/m")
CHAT = {"provider": "one", "interfaces": ["open_ai"], "as": "up"}
FILE = """
providers:
  one: {base_url: "https://one.example/v1", speaks: {open_ai: {}}}
models:
  - {name: v/m, kind: chat, title: of the file, endpoints: [{provider: one, interfaces: [open_ai], as: up}]}
"""


@pytest.fixture
def compile_text(tmp_path: Path) -> Compile:
    def compile_it(text: str = "", **environ: str) -> Settings:
        file = tmp_path / "aimesh.yaml"
        file.write_text(text, encoding="utf-8")
        return compile_settings(file, {"AIMESH_HOME": str(tmp_path), **environ})

    return compile_it


def overlays(
    *, providers: dict[str, object] | None = None, models: dict[str, dict[str, object]] | None = None
) -> Overlays:
    return read_overlays(
        {ProviderId(name): msgspec.json.encode(entry) for name, entry in (providers or {}).items()},
        {
            ModelName(name): msgspec.json.encode({"name": name} | entry)
            for name, entry in (models or {}).items()
        },
    )


def problems(settings: Settings, given: Overlays) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        overlaid_catalog(settings, given)
    return caught.value.problems


def credential(provider: ProviderId, name: str, secret: str, tenant: str | None = None) -> Credential:
    return Credential(
        id=CredentialId(f"db:{provider}/{name}"),
        provider=provider,
        name=name,
        secret=Secret(secret),
        tenant=None if tenant is None else TenantId(tenant),
    )


def names(settings: Settings, provider: ProviderId) -> list[str]:
    return [one.name for one in settings.credentials.get(provider, ())]


def test_nothing_in_the_database_changes_nothing(compile_text: Compile) -> None:
    settings = compile_text(FILE)
    assert overlaid_catalog(settings, NO_OVERLAYS) == settings.catalog
    assert with_catalog(settings, settings.catalog) == settings


def test_the_database_lies_over_what_is_built_in(compile_text: Compile) -> None:
    settings = compile_text()
    built_in = next(model for model in settings.catalog.models.values() if model.endpoints[0].is_callable)
    provider = built_in.endpoints[0].provider
    given = overlays(
        providers={provider: {"origin": "https://proxy.example"}},
        models={built_in.name: {"title": "Renamed"}, "v/new": {"kind": "chat", "endpoints": [CHAT]}},
    )
    given = Overlays(
        providers=given.providers
        | overlays(
            providers={"one": {"base_url": "https://one.example/v1", "speaks": {"open_ai": {}}}}
        ).providers,
        models=given.models,
    )
    catalog = overlaid_catalog(settings, given)
    assert catalog.models[built_in.name].title == "Renamed"
    assert catalog.endpoints[built_in.endpoints[0].name].origin.host == "proxy.example"
    assert EndpointName("one@v/new@open_ai") in catalog.endpoints


def test_what_the_file_names_is_the_files_alone(compile_text: Compile) -> None:
    settings = compile_text(FILE)
    given = overlays(
        providers={"one": {"origin": "https://elsewhere.example"}},
        models={"v/m": {"title": "of the database", "description": "unused", "enabled": False}},
    )
    assert overlaid_catalog(settings, given) == settings.catalog


def test_an_entry_of_the_database_may_build_on_the_files(compile_text: Compile) -> None:
    settings = compile_text(FILE)
    catalog = overlaid_catalog(settings, overlays(models={"v/n": {"kind": "chat", "endpoints": [CHAT]}}))
    assert EndpointName("one@v/n@open_ai") in catalog.endpoints


@pytest.mark.parametrize(
    ("models", "path", "message"),
    [
        ({"v/n": {"title": "x"}}, ("models", "v/n"), "the key 'kind' is missing"),
        (
            {
                "v/n": {
                    "kind": "chat",
                    "endpoints": [{"provider": "onee", "interfaces": ["open_ai"], "as": "x"}],
                }
            },
            ("models", "v/n", "endpoints", 0, "provider"),
            "unknown provider 'onee'",
        ),
        (
            {"v/n": {"kind": "chat", "aliases": ["v/m"], "endpoints": [CHAT]}},
            ("models", "v/n", "aliases", 0),
            "'v/m' already names the model 'v/m'",
        ),
    ],
)
def test_what_does_not_fit_is_the_databases_fault(
    compile_text: Compile, models: dict[str, dict[str, object]], path: tuple[str | int, ...], message: str
) -> None:
    (problem,) = problems(compile_text(FILE), overlays(models=models))
    assert (problem.file, problem.path, problem.message) == ("database", path, message)


def test_a_name_that_is_an_alias_in_the_file_is_refused(compile_text: Compile) -> None:
    settings = compile_text(FILE.replace("kind: chat,", "kind: chat, aliases: [short],"))
    (problem,) = problems(settings, overlays(models={"short": {"kind": "chat", "endpoints": [CHAT]}}))
    assert problem.file == "database"
    assert "short" in problem.message


@pytest.mark.parametrize(
    "document",
    [b"", b"{", b"[]", b'{"name": "v/n", "kid": "chat"}', b'{"name": "v/other"}', b'{"kind": "x"}'],
)
def test_documents_that_cannot_be_read_are_named(document: bytes) -> None:
    with pytest.raises(ConfigError) as caught:
        read_overlays({}, {ModelName("v/n"): document})
    assert caught.value.problems[0].path[:2] == ("models", "v/n")
    with pytest.raises(ConfigError) as caught:
        read_overlays({ONE: b"{"}, {})
    assert caught.value.problems[0].path == ("providers", "one")


def test_credentials_of_file_and_database_stand_side_by_side(compile_text: Compile) -> None:
    settings = compile_text(FILE + "credentials: {one: of-the-file}\n")
    both = with_catalog(
        settings,
        settings.catalog,
        [
            credential(ONE, "spare", "x"),
            credential(ONE, "mine", "y", "acme"),
            credential(ProviderId("gone"), "waits", "z"),
        ],
    )
    assert names(both, ONE) == ["default", "spare"]
    assert [(one.name, one.tenant) for one in both.byok] == [("mine", "acme")]
    assert ProviderId("gone") not in both.credentials
    # Made from the sources each time, not from what was there before.
    assert with_catalog(both, settings.catalog) == settings


def test_the_usual_variable_counts_where_nothing_is_declared(compile_text: Compile) -> None:
    text = FILE.replace("speaks:", "environment: ONE_KEY, speaks:", 1)
    settings = compile_text(text, ONE_KEY="from-the-environment")
    assert names(settings, ONE) == ["environment"]
    assert names(with_catalog(settings, settings.catalog, [credential(ONE, "spare", "x")]), ONE) == ["spare"]
    assert names(with_catalog(settings, settings.catalog), ONE) == ["environment"]


def test_an_entry_of_the_database_reads_no_variable(compile_text: Compile) -> None:
    settings = compile_text("", HIDDEN="not-to-be-sent")
    given = overlays(
        providers={
            "evil": {"base_url": "https://evil.example", "speaks": {"open_ai": {}}, "environment": "HIDDEN"}
        }
    )
    after = with_catalog(settings, overlaid_catalog(settings, given))
    assert ProviderId("evil") in after.catalog.providers
    assert ProviderId("evil") not in after.credentials


def test_a_provider_without_authentication_needs_no_credential(compile_text: Compile) -> None:
    settings = compile_text()
    given = overlays(
        providers={"two": {"base_url": "http://10.0.0.1", "speaks": {"open_ai": {}}, "auth": "none"}}
    )
    assert names(with_catalog(settings, overlaid_catalog(settings, given)), TWO) == ["none"]


def test_the_simulator_gets_no_real_credential_and_answers_for_none(compile_text: Compile) -> None:
    settings = compile_text("simulator: http://127.0.0.1:9\n" + FILE)
    given = overlays(providers={"two": {"base_url": "https://two.example", "speaks": {"open_ai": {}}}})
    after = with_catalog(
        settings,
        overlaid_catalog(settings, given),
        [
            credential(ONE, "real", "sk-real"),
            credential(ONE, "made up", "simulated-7"),
            credential(ONE, "real one", "sk-real", "acme"),
            credential(ONE, "trial", "simulated-8", "acme"),
        ],
    )
    assert [one.secret.reveal() for one in after.credentials[ONE]] == ["simulated", "simulated-7"]
    assert [one.name for one in after.byok] == ["trial"]
    assert names(after, TWO) == ["simulated"]
    assert after.catalog.providers[TWO].base_urls["openai"] == "http://127.0.0.1:9/two"


def test_keys_of_the_file_see_models_of_the_database(compile_text: Compile) -> None:
    settings = compile_text(FILE + 'virtual_keys: [{alias: a, key: ck-0123456789abcdef, models: ["v/*"]}]\n')
    assert settings.virtual_keys[0].allowed == {MODEL}
    given = overlays(models={"v/n": {"kind": "chat", "endpoints": [CHAT]}})
    after = with_catalog(settings, overlaid_catalog(settings, given))
    assert after.virtual_keys[0].allowed == {MODEL, ModelName("v/n")}


_TEXT = st.text(alphabet="ab1:/@[]%?# \n\r\u00e4*.{}-", max_size=12)
_URL = st.one_of(
    st.none(),
    _TEXT,
    st.builds("https://{}".format, _TEXT),
    st.builds("http://h.example:{}{}".format, _TEXT, _TEXT),
)
_PATHS = st.fixed_dictionaries({}, optional={"path": st.builds("/{}".format, _TEXT), "task": _TEXT})
_PROVIDER = st.fixed_dictionaries(
    {},
    optional={
        "base_url": _URL,
        "origin": _URL,
        "base_urls": st.dictionaries(st.sampled_from(["openai", "anthropic", "ark"]), _URL, max_size=2),
        "speaks": st.dictionaries(st.sampled_from(["open_ai", "anthropic", "task"]), _PATHS, max_size=2),
        "auth": st.sampled_from(["bearer", "none", "odd"]),
    },
)
_AMOUNT = st.sampled_from(["1", "0.5", "-1", "1e40", "NaN", "0.00000000000000000000001", "x"])
_PRICE = st.fixed_dictionaries(
    {"currency": st.sampled_from(["CNY", "USD", "XYZ"])},
    optional={
        "tiers": st.lists(
            st.fixed_dictionaries({}, optional={"input": _AMOUNT, "up_to": st.integers(-1, 9)}), max_size=2
        ),
        "per_image": _AMOUNT,
    },
)
_ENDPOINT = st.fixed_dictionaries(
    {
        "provider": st.sampled_from(["one", "fuzz", "gone"]),
        "interfaces": st.lists(st.sampled_from(["open_ai", "anthropic", "task"]), max_size=2),
    },
    optional={"as": _TEXT, "price": _PRICE, "context": st.integers(-1, 10**30), "enabled": st.booleans()},
)
_MODEL = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["chat", "video", "odd"]),
        "aliases": st.lists(st.one_of(_TEXT, st.sampled_from(["v/m", "one@v/m@open_ai"])), max_size=2),
        "endpoints": st.lists(_ENDPOINT, max_size=2),
        "enabled": st.booleans(),
    },
)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_the_database_can_break_nothing_else(compile_text: Compile, data: st.DataObject) -> None:
    """Whatever is written there: it is refused with a reason, or every candidate of it can be made."""
    settings = compile_text(FILE)
    provider, model = data.draw(_PROVIDER), data.draw(_MODEL)
    try:
        catalog = overlaid_catalog(settings, overlays(providers={"fuzz": provider}, models={"v/fuzz": model}))
    except ConfigError:
        return
    for endpoint in catalog.endpoints.values():
        made = candidate(endpoint, credential(endpoint.provider, "x", "sk"))
        assert b"\r\n\r\n" not in made.head.reveal()
        assert made.path.isascii()
        assert not set(made.path) & set(b"\r\n ")


def test_settings_show_no_secret(compile_text: Compile) -> None:
    secret = "sk-never-shown-anywhere-7788"
    text = FILE.replace("speaks:", "environment: ONE_KEY, speaks:", 1)
    with_file = compile_text(f"{text}credentials: {{one: {secret}}}\n")
    from_environment = compile_text(text, ONE_KEY=secret)
    stored = with_catalog(with_file, with_file.catalog, [credential(ONE, "x", secret, "acme")])
    for settings in (with_file, from_environment, stored):
        assert secret not in repr(settings)
