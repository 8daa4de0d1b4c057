"""``aimesh key``: virtual keys are made, listed and shown. Changes of what exists are in ``key_edit.py``.

1. The text of a key is printed by create, get, copy, rotate and ``list --reveal``, and nowhere else.
2. What people get from those is the text alone, so that ``key=$(aimesh key create x)`` works.
"""

from enum import StrEnum
from typing import Annotated

import typer

from aimesh.cli import key_edit, parse
from aimesh.cli.client import segment
from aimesh.cli.connect import Session, command
from aimesh.cli.faults import Misused, Refused
from aimesh.cli.key_edit import limits_of
from aimesh.cli.key_options import (
    AliasArgument,
    QuotaOptions,
    RefArgument,
    RouteOptions,
    ScopeOptions,
)
from aimesh.cli.key_rows import (
    KEY_COLUMNS,
    asked_key,
    changed_answer,
    find_alias,
    find_key,
    key_data,
    key_more,
    key_row,
    text_answer,
    user_id,
)
from aimesh.cli.output import Answer, Document
from aimesh.store.key_text import is_made

app = typer.Typer(no_args_is_help=True)


class StatusFilter(StrEnum):
    ENABLED = "enabled"
    DISABLED = "disabled"
    EXPIRED = "expired"
    ONE = "1"
    ZERO = "0"


_STATUS = {
    StatusFilter.ENABLED: "active",
    StatusFilter.ONE: "active",
    StatusFilter.DISABLED: "disabled",
    StatusFilter.ZERO: "disabled",
    StatusFilter.EXPIRED: "expired",
}


@app.callback()
def keys() -> None:
    """Virtual keys: make, list, limit, route, switch on and off."""


@command(app, "list")
def list_keys(
    session: Session,
    *,
    alias: Annotated[str, typer.Option(help="Only aliases that contain this.")] = "",
    key: Annotated[str, typer.Option(help="Only the key with this text, whole or masked.")] = "",
    status: Annotated[StatusFilter | None, typer.Option(help="enabled (1), disabled (0) or expired.")] = None,
    mine: Annotated[bool, typer.Option("--mine", help="Only keys that I made.")] = False,
    operator: Annotated[str, typer.Option(metavar="USER", help="Only keys that this user made.")] = "",
    label: Annotated[str, typer.Option(metavar="NAME[=VALUE]", help="Only keys with this label.")] = "",
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show the keys in full; each one is in the audit log.")
    ] = False,
    page: Annotated[int, typer.Option(min=1, help="Which page.")] = 1,
    page_size: Annotated[int, typer.Option(min=1, max=10_000, help="Keys on a page.")] = 200,
) -> Answer:
    """List keys, newest first.

    \b
    Examples:
      aimesh key list --status disabled
      aimesh key list --mine --label team=search --format csv
      aimesh key list --alias prod --field alias,quotas --format jsonl
    """
    if mine and operator:
        raise Misused("--mine is --operator me: give one of them")
    if is_made(alias):
        raise Misused("this is the text of a key, not an alias: say --key")
    query = {
        "alias": alias or None,
        "key": asked_key(key) if key else None,
        "status": _STATUS[status] if status is not None else None,
        "operator": "me" if mine else user_id(session, operator) if operator else None,
        "label": label or None,
    }
    found = session.client.page("/keys", query, number=page, size=page_size)
    rows = [key_data(row) for row in found.rows]
    hidden = [row["alias"] for row in rows if reveal and not _reveal(session, row)]
    total = found.total if found.total is not None else len(rows)
    note = f"Page {page}, showing {len(rows)} of {total} virtual keys."
    if hidden:
        note += f" Not to be shown: {', '.join(hidden)}."
    return Answer(
        data=rows,
        people=[key_row(row) for row in rows],
        columns=KEY_COLUMNS,
        title="Virtual keys",
        note=note,
        total=total,
    )


@command(app)
def create(
    session: Session, alias: AliasArgument, *, quotas: QuotaOptions, route: RouteOptions, scope: ScopeOptions
) -> Answer:
    """Make a key and print it. Without a quota or a budget it gets 10,000,000 tokens in total.

    \b
    Examples:
      aimesh key create search-production
      aimesh key create team --quota daily:1000000 --budget monthly:500CNY --rpm 600
      aimesh key create fast --provider-sort latency --models 'qwen/*' 'deepseek/*' --days 90
      aimesh key create ours --route-type byok --private-keys team-key spare-key
    """
    body = _body(quotas, route, scope, is_new=True)
    return text_answer(session.client.send("POST", "/keys", {"alias": alias, **body}).data)


@command(app)
def upsert(
    session: Session, alias: AliasArgument, *, quotas: QuotaOptions, route: RouteOptions, scope: ScopeOptions
) -> Answer:
    """Make a key, or change the one that has this alias: what is not said stays.

    \b
    Examples:
      aimesh key upsert search-production --quota daily:1000000
      aimesh key upsert team --route-type provider --providers first_provider second_provider
    """
    found = find_alias(session, alias)
    body = _body(quotas, route, scope, is_new=found is None)
    if found is not None and "limits" in body:
        body["limits"] = {**limits_of(found), **body["limits"]}
    kept = session.client.send("PUT", f"/keys/by-alias/{segment(alias)}", body).data
    return text_answer(kept) if kept.get("text") else changed_answer(kept, f"{alias} is changed")


@command(app)
def get(session: Session, ref: RefArgument) -> Answer:
    """Print the text of a key. That is a reveal, and stands in the audit log.

    \b
    Examples:
      export API_KEY=$(aimesh key get search-production)
      aimesh key get 'ck-1****9f3c' --json
    """
    key = find_key(session, ref)
    revealed = session.client.send("POST", f"/keys/{segment(key['id'])}/reveal").data
    return text_answer({**key, **revealed})


@command(app)
def show(session: Session, ref: RefArgument) -> Answer:
    """Show everything about a key but its text.

    \b
    Examples:
      aimesh key show search-production
      aimesh key show search-production --field route --json
    """
    data = key_data(find_key(session, ref))
    return Answer(data=data, people=key_row(data) | key_more(data), title=data["alias"])


@command(app)
def copy(session: Session, ref: RefArgument, alias: AliasArgument) -> Answer:
    """Make a new key with the limits, routing, models, networks and labels of another, and print it.

    \b
    Examples:
      aimesh key copy search-production search-staging
    """
    key = find_key(session, ref)
    made = session.client.send("POST", f"/keys/{segment(key['id'])}/copy", {"alias": alias}).data
    return text_answer(made)


def _body(quotas: QuotaOptions, route: RouteOptions, scope: ScopeOptions, *, is_new: bool) -> Document:
    body = scope.body()
    if (wanted := route.route()) is not None:
        body["route"] = wanted
    limits = quotas.rates()
    listed = quotas.quotas()
    if listed is not None or is_new:
        limits["quotas"] = [parse.DEFAULT_QUOTA] if listed is None else listed
    if limits:
        body["limits"] = limits
    return body


def _reveal(session: Session, row: Document) -> bool:
    try:
        row["key"] = session.client.send("POST", f"/keys/{segment(row['id'])}/reveal").data["text"]
    except Refused:
        return False
    return True


key_edit.register(app)
