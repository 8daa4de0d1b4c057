"""Commands that only read: check a configuration, list models, print call examples."""

import os
from pathlib import Path
from typing import Annotated

import typer

from aimesh.catalog.examples import examples as examples_for
from aimesh.catalog.problem import ConfigError, did_you_mean
from aimesh.catalog.snapshot import Endpoint
from aimesh.cli.connect import Session
from aimesh.cli.faults import Refused
from aimesh.cli.output import Answer, fail, fail_config
from aimesh.settings import Settings, compile_settings

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", help="aimesh.yaml; default: AIMESH_CONFIG, else the one in the home directory."
    ),
]


def read_settings(config: Path | None) -> Settings:
    """The settings of this machine. Raises ``ConfigError``."""
    return compile_settings(config, os.environ)  # noqa: TID251 - the command is where the environment enters


def load_settings(config: Path | None) -> Settings:
    """The settings of this machine, or the end of the command with every problem named."""
    try:
        return read_settings(config)
    except ConfigError as error:
        fail_config(error)


def check_config(
    path: Annotated[Path | None, typer.Argument(help="The file to check; default as for serve.")] = None,
) -> None:
    """Check aimesh.yaml: every problem with file, line, and what to write instead."""
    settings = load_settings(path)
    usable = sum(
        1 for endpoint in settings.catalog.endpoints.values() if _status(settings, endpoint) == "active"
    )
    typer.echo(
        f"{settings.file or 'built-in defaults'}: good. {len(settings.catalog.models)} models, "
        f"{usable} endpoints with a credential, {len(settings.virtual_keys)} virtual keys in the file"
    )
    if not usable:
        typer.echo(
            "No provider has a credential yet: set one, for example DASHSCOPE_API_KEY, or use the simulator."
        )


def models(
    session: Session,
    name: Annotated[str, typer.Argument(help="Only models whose name contains this.")] = "",
) -> Answer:
    """List the models of aimesh.yaml, their endpoints and whether each can be called.

    A running gateway's own, with what was changed in its database: aimesh model list.
    """
    settings = read_settings(session.given.config)
    found = [model for key, model in settings.catalog.models.items() if name.lower() in key.lower()]
    if not found:
        raise Refused(f"no model's name contains {name!r}; aimesh models lists all")
    return Answer(
        data=[
            {
                "model": model.name,
                "title": model.title,
                "vendor": model.vendor,
                "kind": model.kind,
                "context": model.context,
                "endpoints": [
                    {"name": one.name, "upstream": one.upstream_name, "status": _status(settings, one)}
                    for one in model.endpoints
                ],
            }
            for model in found
        ],
        people=[
            {
                "model": model.name,
                "kind": model.kind,
                "endpoint": one.name,
                "upstream id": one.upstream_name or "unknown",
                "status": _status(settings, one),
            }
            for model in found
            for one in model.endpoints
        ],
        columns=("model", "kind", "endpoint", "upstream id", "status"),
        title="Models",
    )


def examples(
    model: Annotated[str, typer.Argument(help="Model, alias or endpoint name, e.g. qwen/qwen3.7-max.")],
    config: ConfigOption = None,
    *,
    base_url: Annotated[
        str, typer.Option(help="Base URL up to /gateway; default: the first region, else the listener.")
    ] = "",
    key: Annotated[str, typer.Option(help="Virtual key to write into the examples.")] = "$API_KEY",
) -> None:
    """Print ready curl and Python calls for a model."""
    settings = load_settings(config)
    found = settings.catalog.find(model)
    if found is None:
        fail(
            f"there is no model {model!r}; {did_you_mean(model, settings.catalog.found) or 'aimesh models lists all'}"
        )
    base = base_url or usual_base_url(settings)
    for example in examples_for(found.model, base_url=base.rstrip("/"), key=key):
        typer.secho(
            f"# {found.model.name} over {example.interface}, {example.language}", fg=typer.colors.CYAN
        )
        typer.echo(example.code)


def usual_base_url(settings: Settings) -> str:
    if settings.regions:
        return settings.regions[0].base_url
    for address in settings.listen:
        if not address.unix:
            host = "127.0.0.1" if address.host in ("0.0.0.0", "::") else address.host  # noqa: S104 - shown, not bound
            return f"http://{host}:{address.port}/gateway"
    return "http://127.0.0.1:8600/gateway"


def _status(settings: Settings, endpoint: Endpoint) -> str:
    if not endpoint.enabled:
        return "disabled"
    if not endpoint.upstream_name:
        return "unknown id"
    return "active" if settings.credentials.get(endpoint.provider) else "unconfigured"
