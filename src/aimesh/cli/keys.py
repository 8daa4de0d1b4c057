"""``aimesh key``: virtual keys of the database. A running gateway sees a change within a second."""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from aimesh.app import database_url
from aimesh.cli.inspect import ConfigOption, load_settings
from aimesh.cli.output import fail, show_json, show_table
from aimesh.core.clock import SystemClock
from aimesh.core.ids import KeyId
from aimesh.settings import Settings
from aimesh.store.database import DuplicateError, StoreError, open_database
from aimesh.store.keys import KeyDraft, KeyStore, StoredKey
from aimesh.store.vault import VaultError, open_vault

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True)
JsonOption = Annotated[bool, typer.Option("--json", help="JSON for programs.")]


@app.callback()
def keys() -> None:
    """Virtual keys: make, list, switch on and off."""


@app.command()
def create(
    alias: Annotated[str, typer.Argument(help="Unique name, e.g. 'search-production-summaries'.")],
    *,
    models: Annotated[
        list[str] | None,
        typer.Option("--model", help="Model the key may call; '*' stands for any text. Repeatable."),
    ] = None,
    cidrs: Annotated[list[str] | None, typer.Option("--cidr", help="Network callers may come from.")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Days until it expires.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key and print it. It is shown in full only here, unless the setting keys.reveal allows it later."""
    for cidr in cidrs or ():
        _check_cidr(cidr)
    expires_at_s = None if days is None else SystemClock().wall_s() + days * 86_400
    draft = KeyDraft(
        alias=alias,
        allowed_models=tuple(models or ()),
        allowed_cidrs=tuple(cidrs or ()),
        expires_at_s=expires_at_s,
    )
    try:
        made = _with_store(config, lambda store: store.create_key(draft))
    except DuplicateError:
        fail(f"there is a key named {alias!r} already; aimesh key list shows it")
    if as_json:
        show_json({"id": made.key.id, "alias": alias, "key": made.text.reveal()})
    else:
        typer.echo(made.text.reveal())


@app.command("list")
def list_keys(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """List the keys, masked."""
    found = _with_store(config, lambda store: store.list_keys())
    if as_json:
        show_json([_shown(key) for key in found])
        return
    show_table(
        "Virtual keys",
        ("alias", "key", "status", "models", "made"),
        [
            (
                key.alias,
                key.masked,
                "enabled" if key.enabled else "disabled",
                ", ".join(key.allowed_models) or "all",
                _date(key.created_at_s),
            )
            for key in found
        ],
    )


@app.command()
def enable(alias: str, config: ConfigOption = None) -> None:
    """Switch a key on."""
    _switch(alias, config, enabled=True)


@app.command()
def disable(alias: str, config: ConfigOption = None) -> None:
    """Switch a key off; calls with it are refused within a second."""
    _switch(alias, config, enabled=False)


@app.command()
def delete(
    alias: str,
    config: ConfigOption = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a key for good."""
    if not yes and not typer.confirm(f"Delete the key {alias!r}? Its callers are refused from then on"):
        raise typer.Exit(1)

    async def work(store: KeyStore) -> bool:
        return await store.delete(await _id_of(store, alias))

    _with_store(config, work)
    typer.echo(f"{alias} is deleted")


def _check_cidr(cidr: str) -> None:
    """A gateway cannot take over a key whose networks it cannot read."""
    try:
        ipaddress.ip_network(cidr)
    except ValueError as error:
        fail(f"--cidr: {error}")


def _switch(alias: str, config: Path | None, *, enabled: bool) -> None:
    async def work(store: KeyStore) -> bool:
        return await store.set_enabled(await _id_of(store, alias), enabled)

    _with_store(config, work)
    typer.echo(f"{alias} is {'enabled' if enabled else 'disabled'}")


async def _id_of(store: KeyStore, alias: str) -> KeyId:
    key = await store.find_alias(alias)
    if key is None:
        fail(f"there is no key named {alias!r}; aimesh key list shows all")
    return key.id


def _with_store(config: Path | None, work: Callable[[KeyStore], Awaitable[T]]) -> T:
    settings = load_settings(config)
    return asyncio.run(_opened(settings, work))


async def _opened(settings: Settings, work: Callable[[KeyStore], Awaitable[T]]) -> T:
    try:
        database = open_database(database_url(settings))
        vault = None if settings.keys.reveal == "never" else open_vault(settings.home, settings.master_key)
    except (StoreError, VaultError) as error:
        fail(str(error))
    try:
        return await work(KeyStore(database, SystemClock(), vault))
    finally:
        database.close()


def _shown(key: StoredKey) -> dict[str, object]:
    return {
        "id": key.id,
        "alias": key.alias,
        "key": key.masked,
        "status": "enabled" if key.enabled else "disabled",
        "models": list(key.allowed_models),
        "expires_at": None if key.expires_at_s is None else _date(key.expires_at_s),
        "created_at": _date(key.created_at_s),
    }


def _date(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
