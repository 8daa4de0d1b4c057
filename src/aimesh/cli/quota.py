"""``aimesh quota``: what a key may use, and what it has used."""

from typing import Annotated

import typer

from aimesh.cli.client import segment
from aimesh.cli.connect import Session
from aimesh.cli.faults import Misused
from aimesh.cli.inspect import read_settings, usual_base_url
from aimesh.cli.key_rows import find_key, quota_text, time_text
from aimesh.cli.output import Answer, Document
from aimesh.core.secret import Secret

COLUMNS = ("period", "unit", "limit", "used", "held", "remaining", "resets")


def quota(
    session: Session,
    ref: Annotated[
        str, typer.Argument(metavar="[REF]", help="Alias of the key, or its text, whole or masked.")
    ] = "",
    *,
    probe: Annotated[
        bool, typer.Option("--probe", help="Ask the gateway as the key's holder: one call of one token.")
    ] = False,
    base_url: Annotated[
        str,
        typer.Option(
            envvar="AIMESH_BASE_URL",
            metavar="URL",
            help="Where calls go, for --probe: https://host/gateway/v1.",
        ),
    ] = "",
    api_key: Annotated[
        str,
        typer.Option(
            envvar="AIMESH_API_KEY",
            metavar="TEXT",
            help="The key, for --probe. Others can see it here: prefer the variable, or - to read it from stdin.",
        ),
    ] = "",
    model: Annotated[
        str,
        typer.Option(metavar="MODEL", help="Chat model, for --probe; default: one that the key may call."),
    ] = "",
) -> Answer:
    """Show the limits of a key with what was used, is held for running calls, and remains.

    \b
    Examples:
      aimesh quota search-production
      AIMESH_API_KEY=... aimesh quota --probe --base-url https://ai.example.com
    """
    if probe:
        return _probed(session, base_url=base_url, key=api_key, model=model)
    if not ref:
        raise Misused("which key? aimesh quota ALIAS, or --probe with a key of your own")
    key = find_key(session, ref)
    limits = session.client.get(f"/keys/{segment(key['id'])}/quota").data
    rows = [*limits["quotas"], *_rates(limits)]
    return Answer(
        data=rows,
        people=[_row(row) for row in rows],
        columns=COLUMNS,
        title=key["alias"],
        note="" if rows else f"{key['alias']} has no limit.",
    )


def _probed(session: Session, *, base_url: str, key: str, model: str) -> Answer:
    # Here, because an HTTP client takes longer to load than every other command takes to run.
    from aimesh.cli.probe import probe  # noqa: PLC0415

    if key == "-":
        key = typer.get_text_stream("stdin").readline().strip()
    if not key:
        raise Misused("--probe needs the key: AIMESH_API_KEY, or --api-key -")
    base = base_url or session.given.url or usual_base_url(read_settings(session.given.config))
    rows = probe(base, Secret(key), model)
    return Answer(
        data=rows,
        people=[_row(row) for row in rows],
        columns=tuple(name for name in COLUMNS if name not in ("held", "resets")),
        title=base,
        note=f"{len(rows)} quotas, as of before this call: {', '.join(map(quota_text, rows))}.",
    )


def _rates(limits: Document) -> list[Document]:
    units = {"rpm": ("requests", "minute"), "tpm": ("tokens", "minute"), "concurrency": ("calls at once", "")}
    return [
        {"unit": unit, "period": period, "limit": limits[name], "used": None, "held": None, "remaining": None}
        | {"resets_at": None}
        for name, (unit, period) in units.items()
        if limits.get(name) is not None
    ]


def _row(row: Document) -> Document:
    return {
        "period": row["period"],
        "unit": row["unit"],
        "limit": row["limit"],
        "used": row["used"],
        "held": row.get("held"),
        "remaining": row["remaining"],
        "resets": time_text(row.get("resets_at")),
    }
