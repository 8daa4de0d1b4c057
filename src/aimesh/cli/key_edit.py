"""``aimesh key``: what changes a key that exists, one or many at once."""

from enum import StrEnum
from typing import Annotated

import typer

from aimesh.cli import parse
from aimesh.cli.client import segment
from aimesh.cli.connect import Session, command
from aimesh.cli.faults import Misused, Refused
from aimesh.cli.key_options import QuotaOptions, RefArgument, RouteOptions
from aimesh.cli.key_rows import find_key, key_data, route_text, text_answer
from aimesh.cli.options import YesOption, etag_of
from aimesh.cli.output import Answer, Document

MOST_AT_ONCE = 1000


def register(app: typer.Typer) -> None:
    """Adds the commands of this file to ``aimesh key``."""
    command(app, "set-quota")(set_quota)
    command(app, "route")(route)
    command(app, "enable")(enable)
    command(app, "disable")(disable)
    command(app, "rotate")(rotate)
    command(app, "delete")(delete)
    command(app, "batch")(batch)


def set_quota(
    session: Session,
    ref: RefArgument,
    *,
    quotas: QuotaOptions,
    replace: Annotated[
        bool, typer.Option("--replace", help="Drop every quota that is not named here.")
    ] = False,
) -> Answer:
    """Set quotas, budgets and rates of a key. What was used in the running period still counts.

    A quota takes the place of the one with the same period and unit; the others stay. Once it is spent, calls are
    refused until the period begins again.

    \b
    Examples:
      aimesh key set-quota team --period daily --quota 500000
      aimesh key set-quota team --quota daily:500000 --budget monthly:100CNY --rpm 60
      aimesh key set-quota team --no-quota
    """
    listed, rates = quotas.quotas(), quotas.rates()
    if listed is None and not rates:
        raise Misused("which quota? For example --period daily --quota 500000")
    key = find_key(session, ref)
    limits = {**limits_of(key), **rates}
    if listed is not None:
        limits["quotas"] = (
            listed if replace or not listed else merged_quotas(limits.get("quotas", []), listed)
        )
    changed = session.client.send("PUT", _path(key, "quotas"), limits, etag=etag_of(key)).data
    return Answer(data=changed, text=f"the limits of {key['alias']} are set")


def route(session: Session, ref: RefArgument, *, words: RouteOptions) -> Answer:
    """Show how a key's calls are routed, or set it.

    \b
    Examples:
      aimesh key route team
      aimesh key route team --route-type default --provider-sort throughput
      aimesh key route team --route-type provider --providers first_provider second_provider
      aimesh key route team --route-type byok --private-keys team-key spare-key
    """
    wanted = words.route()
    key = find_key(session, ref)
    if wanted is None:
        return Answer(data=key["route"], text=route_text(key["route"]))
    if wanted["mode"] == key["route"]["mode"]:
        wanted = {**key["route"], **wanted}
    changed = session.client.send("PUT", _path(key, "route"), wanted, etag=etag_of(key)).data
    note = " ".join(changed.get("warnings") or ())
    return Answer(data=changed, text=f"{key['alias']} is routed {route_text(wanted)}", note=note)


def enable(session: Session, ref: RefArgument) -> Answer:
    """Switch a key on."""
    return _switch(session, ref, "enable")


def disable(session: Session, ref: RefArgument) -> Answer:
    """Switch a key off; calls with it are refused within a second."""
    return _switch(session, ref, "disable")


def rotate(
    session: Session,
    ref: RefArgument,
    *,
    grace: Annotated[
        str,
        typer.Option(metavar="TIME", help="How long the old text still works: 24h, 30m, 7d; 0: not at all."),
    ] = "24h",
) -> Answer:
    """Give a key a new text and print it. The old one works until the grace is over.

    \b
    Examples:
      aimesh key rotate search-production --grace 7d
      aimesh key rotate leaked-key --grace 0
    """
    grace_s = parse.read_duration(grace)
    key = find_key(session, ref)
    rotated = session.client.send("POST", _path(key, "rotate"), {"grace_s": grace_s}).data
    return text_answer(rotated)


def delete(session: Session, ref: RefArgument, *, yes: YesOption = False) -> Answer:
    """Delete a key for good. Its records of use stay."""
    key = find_key(session, ref)
    session.confirm(f"Delete the key {key['alias']!r}? Its callers are refused from then on", yes=yes)
    session.client.send("DELETE", f"/keys/{segment(key['id'])}", etag=etag_of(key))
    return Answer(
        data={"id": key["id"], "alias": key["alias"], "deleted": True}, text=f"{key['alias']} is deleted"
    )


class Action(StrEnum):
    ENABLE = "enable"
    DISABLE = "disable"
    DELETE = "delete"
    SET_LABELS = "set-labels"
    SET_LIMITS = "set-limits"
    SET_ROUTE = "set-route"


def batch(
    session: Session,
    action: Annotated[Action, typer.Argument(help="What to do with every one of them.")],
    refs: Annotated[
        list[str] | None, typer.Argument(metavar="[REF]...", help="The keys; or say which by a filter.")
    ] = None,
    *,
    alias: Annotated[str, typer.Option(help="Every key whose alias contains this.")] = "",
    having: Annotated[str, typer.Option(metavar="NAME[=VALUE]", help="Every key with this label.")] = "",
    quotas: QuotaOptions,
    words: RouteOptions,
    label: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="For set-labels. Repeatable.")
    ] = None,
    yes: YesOption = False,
) -> Answer:
    """Do one thing to many keys, at most 1000.

    \b
    Examples:
      aimesh key batch disable search-1 search-2
      aimesh key batch set-limits --having team=search --quota daily:100000
      aimesh key batch delete --alias old- --yes
    """
    body: Document = {"action": action.value.replace("-", "_")}
    match action:
        case Action.SET_LABELS:
            body["labels"] = parse.read_labels(label)
            if not label:
                raise Misused("which labels? For example --label team=search")
        case Action.SET_LIMITS:
            listed, rates = quotas.quotas(), quotas.rates()
            if listed is None and not rates:
                raise Misused("which limits? For example --quota daily:100000, or --no-quota")
            body["limits"] = {**rates, "quotas": listed or []}
        case Action.SET_ROUTE:
            body["route"] = words.route()
            if body["route"] is None:
                raise Misused("which route? For example --route-type default --provider-sort latency")
    if bool(refs) == bool(alias or having):
        raise Misused("which keys? Name them, or give a filter: --alias or --having")
    if refs:
        keys = [find_key(session, ref) for ref in refs]
    else:
        keys = list(session.client.rows("/keys", {"alias": alias or None, "label": having or None}))
    if not keys:
        raise Refused("no key fits", code="KEY_NOT_FOUND")
    if len(keys) > MOST_AT_ONCE:
        raise Refused(f"{len(keys)} keys fit; one batch takes {MOST_AT_ONCE}: narrow the filter")
    if action is Action.DELETE:
        session.confirm(f"Delete {len(keys)} keys for good?", yes=yes)
    return _batch_answer(session, body, keys)


def _batch_answer(session: Session, body: Document, keys: list[Document]) -> Answer:
    body["ids"] = [key["id"] for key in keys]
    aliases = {key["id"]: key["alias"] for key in keys}
    results = session.client.send("POST", "/keys/batch", body).data["data"]
    rows = [
        {
            "id": one["id"],
            "alias": aliases.get(one["id"], ""),
            "done": one["ok"],
            "error": (one.get("error") or {}).get("message", ""),
        }
        for one in results
    ]
    failed = sum(1 for row in rows if not row["done"])
    return Answer(
        data=rows,
        columns=("alias", "done", "error"),
        note=f"{len(rows) - failed} of {len(rows)} keys are done.",
        is_failure=failed > 0,
    )


def limits_of(key: Document) -> Document:
    """The limits of a key as they can be sent back, without what was used of them."""
    limits: Document = key.get("limits") or {}
    kept = {name: limits[name] for name in ("rpm", "tpm", "concurrency") if limits.get(name) is not None}
    quotas = limits.get("quotas") or []
    return kept | {"quotas": [{name: one[name] for name in ("unit", "period", "limit")} for one in quotas]}


def merged_quotas(old: list[Document], new: list[Document]) -> list[Document]:
    kinds = {(one["unit"], one["period"]) for one in new}
    return [one for one in old if (one["unit"], one["period"]) not in kinds] + new


def _switch(session: Session, ref: str, verb: str) -> Answer:
    key = find_key(session, ref)
    changed = session.client.send("POST", _path(key, verb)).data
    data = key_data(changed)
    return Answer(
        data={"id": data["id"], "alias": data["alias"], "status": data["status"]},
        text=f"{data['alias']} is {data['status']}",
    )


def _path(key: Document, what: str) -> str:
    return f"/keys/{segment(key['id'])}/{what}"
