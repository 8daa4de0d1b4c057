"""``aimesh alert rule``: what alerts are about.

A change sends the rule as it is with what was said.
"""

from typing import Annotated

import typer

from aimesh.cli import parse
from aimesh.cli.alert_channels import find_channel
from aimesh.cli.client import segment
from aimesh.cli.connect import Options, Session, command
from aimesh.cli.faults import Misused, Refused
from aimesh.cli.key_rows import find_key
from aimesh.cli.options import YesOption, etag_of
from aimesh.cli.output import Answer, Document
from aimesh.core.alert_kind import RuleKind

app = typer.Typer(no_args_is_help=True)
PATH = "/alert-rules"

RuleArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the rule, or its id.")]
_SENT = (
    "name", "kind", "channels", "enabled", "cooldown_s", "model", "endpoint", "provider", "tenant", "key", "percents",
    "minutes", "least", "lag_s",
)  # fmt: skip


class TermOptions(Options, frozen=True, kw_only=True):
    """When a rule finds something."""

    percent: Annotated[
        list[float] | None,
        typer.Option(
            metavar="NUMBER",
            help="Quotas and budgets: each of these is told (repeatable; default: 80 and 100). Else: the share of"
            " failures, by default 50.",
        ),
    ] = None
    minutes: Annotated[int | None, typer.Option(min=1, help="Shares: of the last so many; default: 5.")] = (
        None
    )
    least: Annotated[
        int | None, typer.Option(min=1, help="Shares: with fewer calls nothing is told; default: 10.")
    ] = None
    lag: Annotated[str, typer.Option(metavar="TIME", help="import_lag: so far behind; default: 5m.")] = ""
    cooldown: Annotated[
        str, typer.Option(metavar="TIME", help="So long the same thing is not told again; default: 1h.")
    ] = ""
    model: Annotated[str, typer.Option(metavar="NAME", help="error_rate: of this model.")] = ""
    endpoint: Annotated[str, typer.Option(metavar="NAME", help="error_rate: of this endpoint.")] = ""
    provider: Annotated[str, typer.Option(metavar="ID", help="provider_down: only this one.")] = ""
    key: Annotated[
        str, typer.Option(metavar="KEY", help="Quotas and budgets: only of this key (alias or masked text).")
    ] = ""

    def body(self, session: Session) -> Document:
        """What was said."""
        given: Document = {
            "percents": self.percent,
            "minutes": self.minutes,
            "least": self.least,
            "model": self.model,
            "endpoint": self.endpoint,
            "provider": self.provider,
            "tenant": session.given.tenant,
            "key": find_key(session, self.key)["id"] if self.key else "",
        }
        found = {name: value for name, value in given.items() if value}
        if self.lag:
            found["lag_s"] = parse.read_duration(self.lag)
        if self.cooldown:
            found["cooldown_s"] = parse.read_duration(self.cooldown)
        return found


@app.callback()
def rules() -> None:
    """Rules: what alerts are about. The gateway looks at them every half minute."""


@command(app, "list")
def list_rules(session: Session) -> Answer:
    """List the rules."""
    rows = session.client.get(PATH).data["data"]
    names = {row["id"]: row["name"] for row in session.client.get("/alert-channels").data["data"]}
    return Answer(
        data=rows,
        people=[_row(row, names) for row in rows],
        columns=("name", "kind", "of", "when", "channels", "enabled", "id"),
        title="Rules",
    )


@command(app)
def add(
    session: Session,
    name: Annotated[str, typer.Argument(help="Name that alerts show.")],
    kind: Annotated[RuleKind, typer.Argument(help="What it looks at.")],
    *,
    channel: Annotated[list[str], typer.Option(metavar="NAME", help="Who is told: a channel; repeatable.")],
    terms: TermOptions,
    disabled: Annotated[bool, typer.Option("--disabled", help="Keep it, and do not look yet.")] = False,
) -> Answer:
    """Add a rule: when it finds something, its channels are told once, and again when it is over.

    error_rate counts the calls of an endpoint that failed, whoever is to blame; provider_down and credential_failing
    those of a provider or a credential that failed by no fault of the caller; quota_used and budget_used what is used
    of a quota in tokens or money, of --tenant and all of its keys or of one --key; import_lag how far behind usage is.

    \b
    Examples:
      aimesh alert rule add errors error_rate --channel on-call --percent 20 --least 50
      aimesh alert rule add money budget_used --channel mail --tenant research --percent 50 --percent 90
      aimesh alert rule add behind import_lag --channel on-call --lag 10m
    """
    body: Document = {"name": name, "kind": kind.value, "enabled": not disabled}
    body |= {"channels": [find_channel(session, one)["id"] for one in channel], **terms.body(session)}
    made = session.client.send("POST", PATH, body).data
    return Answer(data=made, text=f"{made['name']} is kept: {made['id']}")


@command(app, "set")
def set_rule(
    session: Session,
    rule: RuleArgument,
    *,
    rename: Annotated[str, typer.Option(metavar="NAME", help="A new name.")] = "",
    channel: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Who is told, instead of before; repeatable.")
    ] = None,
    enabled: Annotated[
        bool | None, typer.Option("--enable/--disable", help="Whether it is looked at.")
    ] = None,
    terms: TermOptions,
) -> Answer:
    """Change a rule. What is not said stays; what a disabled rule found is forgotten.

    \b
    Examples:
      aimesh alert rule set errors --percent 10 --cooldown 6h
      aimesh alert rule set errors --disable
    """
    known = find_rule(session, rule)
    changes = terms.body(session)
    if rename:
        changes["name"] = rename
    if channel:
        changes["channels"] = [find_channel(session, one)["id"] for one in channel]
    if enabled is not None:
        changes["enabled"] = enabled
    if not changes:
        raise Misused("what is to change? For example --percent, --channel or --disable")
    body = {name: known[name] for name in _SENT} | changes
    changed = session.client.send("PUT", _item(known), body, etag=etag_of(known)).data
    return Answer(data=changed, text=f"{changed['name']} is changed")


@command(app)
def delete(session: Session, rule: RuleArgument, *, yes: YesOption = False) -> Answer:
    """Delete a rule, with what is known of its alerts."""
    known = find_rule(session, rule)
    session.confirm(f"Delete the rule {known['name']!r}?", yes=yes)
    session.client.send("DELETE", _item(known))
    return Answer(
        data={"id": known["id"], "name": known["name"], "deleted": True}, text=f"{known['name']} is deleted"
    )


def find_rule(session: Session, name: str) -> Document:
    rows: list[Document] = session.client.get(PATH).data["data"]
    for row in rows:
        if name in (row["name"], row["id"]):
            return row
    raise Refused(f"there is no rule {name!r}; aimesh alert rule list shows all", code="ALERT_RULE_NOT_FOUND")


def _item(row: Document) -> str:
    return f"{PATH}/{segment(row['id'])}"


def _row(row: Document, channels: dict[str, str]) -> Document:
    return {
        "name": row["name"],
        "kind": row["kind"],
        "of": _subject(row),
        "when": _when(row),
        "channels": ", ".join(channels.get(one, one) for one in row["channels"]),
        "enabled": row["enabled"],
        "id": row["id"],
    }


def _subject(row: Document) -> str:
    match row["kind"]:
        case "quota_used" | "budget_used":
            return f"key {row['key']}" if row["key"] else f"tenant {row['tenant']} and its keys"
        case "error_rate":
            return str(row["endpoint"] or row["model"] or "every endpoint")
        case "provider_down":
            return str(row["provider"] or "every provider")
        case "credential_failing":
            return "every credential"
        case _:
            return "every node"


def _when(row: Document) -> str:
    percents = ", ".join(f"{one:g} %" for one in row["percents"])
    match row["kind"]:
        case "quota_used" | "budget_used":
            return f"{percents} used"
        case "import_lag":
            return f"{row['lag_s']:g} s behind"
        case _:
            return f"{percents} of {row['least']} or more failed in {row['minutes']} min"
