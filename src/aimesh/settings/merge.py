"""Where the database comes in: built-in catalogue < database < the operator's file.

1. What the file names, a provider by its id or a model by its name, is the file's alone. An entry of the database with
   that name waits, unused, until the file lets go of it: whoever reads the file can rely on it.
2. The database's part is used whole or not at all. Whatever does not fit, also because of what the file says, is
   reported as the database's fault, because the file was checked alone before.
3. Credentials of file and database stand side by side. A provider's usual variable counts where neither has one, and is
   only read for providers of the package and the file: an entry of the database cannot send a variable of this
   process to an address of its choice.
4. With the simulator on, a credential of the database is used only if it says by its first letters that it is made
   up (``SIMULATED``): a real one is never sent there, and never stood in for.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction

import msgspec
from msgspec import Struct, structs

from aimesh.catalog.crosscheck import Layer, Merged, check, merged
from aimesh.catalog.document import EMPTY, Document
from aimesh.catalog.operator import RoutingSettings
from aimesh.catalog.problem import ConfigError, Problem
from aimesh.catalog.schema import ModelEntry, ProviderEntry
from aimesh.catalog.snapshot import Catalog, compile_catalog
from aimesh.core.ids import CredentialId, ModelName, ProviderId
from aimesh.core.secret import Secret
from aimesh.routing.candidate import Credential
from aimesh.settings.values import Credentials, Settings, Sources

SIMULATED = "simulated"
"""How a credential begins that may be sent to the simulator."""
DATABASE = Document(file="database", root=EMPTY)

_PROVIDER = msgspec.json.Decoder(ProviderEntry)
_MODEL = msgspec.json.Decoder(ModelEntry)


class Overlays(Struct, frozen=True):
    """Entries of the database."""

    providers: dict[ProviderId, ProviderEntry] = {}
    models: dict[ModelName, ModelEntry] = {}


NO_OVERLAYS = Overlays()


def read_overlays(providers: Mapping[ProviderId, bytes], models: Mapping[ModelName, bytes]) -> Overlays:
    """From their documents, one by one: a worker does this beside its calls. Raises ``ConfigError``."""
    found = Overlays(providers={}, models={})
    problems: list[Problem] = []
    for provider, document in providers.items():
        try:
            found.providers[provider] = _PROVIDER.decode(document)
        except msgspec.MsgspecError as error:
            problems.append(DATABASE.problem(("providers", provider), str(error)))
    for name, document in models.items():
        try:
            found.models[name] = model = _MODEL.decode(document)
        except msgspec.MsgspecError as error:
            problems.append(DATABASE.problem(("models", name), str(error)))
            continue
        if model.name != name:
            problems.append(DATABASE.problem(("models", name, "name"), "another name than its row"))
    if problems:
        raise ConfigError(problems)
    return found


def overlaid_entries(settings: Settings, overlays: Overlays) -> Merged:
    """The entries that hold, file and database together. Raises ``ConfigError``."""
    sources = settings.sources
    layer = _layer(sources, overlays)
    below = merged(sources.built_in, layer)
    result = merged(below, sources.layer)
    problems = check(layer, result, sources.built_in) or check(sources.layer, result, below)
    if problems:
        raise ConfigError(problems)
    return result


def compile_entries(settings: Settings, entries: Merged) -> Catalog:
    return compile_catalog(
        entries.providers,
        entries.models.values(),
        cny_per_usd=ranking_rate(settings.routing),
        rebase=settings.simulator,
    )


def ranking_rate(routing: RoutingSettings) -> Fraction:
    return Fraction(str(routing.cny_per_usd))


def overlaid_catalog(settings: Settings, overlays: Overlays) -> Catalog:
    """Raises ``ConfigError``; each of its problems has the path of the entry: ``("models", "qwen/x", ...)``."""
    return compile_entries(settings, overlaid_entries(settings, overlays))


def with_catalog(settings: Settings, catalog: Catalog, credentials: Iterable[Credential] = ()) -> Settings:
    """The settings on another catalogue, with the database's credentials, opened. Those of a provider that is not there
    wait."""
    usable = [
        one
        for one in credentials
        if one.provider in catalog.providers and (not settings.simulator or is_simulated(one.secret))
    ]
    keys = tuple(structs.replace(key, allowed=catalog.allowed(key.patterns)) for key in settings.virtual_keys)
    platform = [one for one in usable if one.tenant is None]
    return structs.replace(
        settings,
        catalog=catalog,
        credentials=held_credentials(settings.sources, catalog, platform, settings.simulator),
        byok=tuple(one for one in usable if one.tenant is not None),
        virtual_keys=keys,
    )


def held_credentials(
    sources: Sources, catalog: Catalog, platform: Iterable[Credential], simulator: str
) -> Credentials:
    """The built-in credentials of every provider that has any."""
    stored: dict[ProviderId, tuple[Credential, ...]] = {}
    for one in platform:
        stored[one.provider] = (*stored.get(one.provider, ()), one)
    held: Credentials = {}
    for name, provider in catalog.providers.items():
        found = sources.declared.get(name, ()) + stored.get(name, ())
        if simulator:
            found = (made_credential(name, SIMULATED, SIMULATED), *stored.get(name, ()))
        elif not found:
            found = sources.environment.get(name, ())
        if not found and provider.auth == "none":
            found = (made_credential(name, "none", ""),)
        if found:
            held[name] = found
    return held


def is_simulated(secret: Secret[str]) -> bool:
    return secret.reveal().startswith(SIMULATED)


def made_credential(provider: ProviderId, name: str, secret: str) -> Credential:
    return Credential(
        id=CredentialId(f"{provider}/{name}"), provider=provider, name=name, secret=Secret(secret)
    )


def _layer(sources: Sources, overlays: Overlays) -> Layer:
    """What the file leaves to the database."""
    named = {model.name for _, model in sources.layer.models}
    return Layer(
        document=DATABASE,
        providers={
            name: (("providers", name), entry)
            for name, entry in overlays.providers.items()
            if name not in sources.layer.providers
        },
        models=tuple(
            (("models", name), entry) for name, entry in overlays.models.items() if name not in named
        ),
        is_built_in=False,
    )
