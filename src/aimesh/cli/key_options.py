"""Options that several key commands share, and the bodies that they become."""

from typing import Annotated

import typer

from aimesh.cli import parse
from aimesh.cli.connect import Options
from aimesh.cli.faults import Misused
from aimesh.cli.output import Document
from aimesh.core.clock import SystemClock
from aimesh.core.policy import RankBy, RouteMode

AliasArgument = Annotated[
    str, typer.Argument(help="Unique name, for example business-environment-purpose: search-prod-summaries.")
]
RefArgument = Annotated[
    str, typer.Argument(metavar="REF", help="Alias of the key, or its text, whole or masked; -: from stdin.")
]

_QUOTAS = "Quotas and rates"
_ROUTING = "Routing"
_SCOPE = "What it may be used for"


class QuotaOptions(Options, frozen=True):
    period: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PERIOD",
            help="daily, weekly (from Monday), monthly or total; for the --quota beside it.",
            rich_help_panel=_QUOTAS,
        ),
    ] = None
    quota: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[PERIOD:]N",
            help="Tokens in a period: daily:100000. Repeatable.",
            rich_help_panel=_QUOTAS,
        ),
    ] = None
    budget: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PERIOD:AMOUNT",
            help="Money in a period: monthly:100CNY. Repeatable.",
            rich_help_panel=_QUOTAS,
        ),
    ] = None
    no_quota: Annotated[
        bool, typer.Option("--no-quota", help="No quota and no budget.", rich_help_panel=_QUOTAS)
    ] = False
    rpm: Annotated[
        int | None, typer.Option(min=0, help="Requests a minute; 0: any.", rich_help_panel=_QUOTAS)
    ] = None
    tpm: Annotated[
        int | None, typer.Option(min=0, help="Tokens a minute; 0: any.", rich_help_panel=_QUOTAS)
    ] = None
    concurrency: Annotated[
        int | None, typer.Option(min=0, help="Calls at once; 0: any.", rich_help_panel=_QUOTAS)
    ] = None

    def quotas(self) -> list[Document] | None:
        """None: nothing was said."""
        found = parse.read_quotas(self.period or (), self.quota or (), self.budget or ())
        if found and self.no_quota:
            raise Misused("--no-quota does not go with --quota or --budget")
        return found if found or self.no_quota else None

    def rates(self) -> Document:
        """Those that were given; None: no limit."""
        rates = {"rpm": self.rpm, "tpm": self.tpm, "concurrency": self.concurrency}
        return {name: value or None for name, value in rates.items() if value is not None}


class RouteOptions(Options, frozen=True):
    route_type: Annotated[
        RouteMode | None,
        typer.Option(
            help="default: all, ranked; provider: these, in order; byok: own keys only, in order.",
            rich_help_panel=_ROUTING,
        ),
    ] = None
    providers: Annotated[
        list[str] | None,
        typer.Option(
            "--providers",
            "--provider",
            metavar="ID...",
            help="Providers, in their order; aimesh provider list shows them.",
            rich_help_panel=_ROUTING,
        ),
    ] = None
    provider_sort: Annotated[
        RankBy | None, typer.Option(help="How default ranks; price if not said.", rich_help_panel=_ROUTING)
    ] = None
    private_keys: Annotated[
        list[str] | None,
        typer.Option(
            "--private-keys",
            "--private-key",
            metavar="NAME...",
            help="Names of BYOK keys, in their order; aimesh byok list shows them.",
            rich_help_panel=_ROUTING,
        ),
    ] = None

    def route(self) -> Document | None:
        """None: nothing was said."""
        return parse.read_route(
            mode=self.route_type,
            providers=parse.read_words(self.providers),
            credentials=parse.read_words(self.private_keys),
            rank_by=self.provider_sort,
        )


class ScopeOptions(Options, frozen=True):
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--models",
            "--model",
            metavar="NAME...",
            help="Models it may call; * stands for any text: 'qwen/*'. Repeatable.",
            rich_help_panel=_SCOPE,
        ),
    ] = None
    cidr: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NETWORK",
            help="Network that callers may come from: 10.0.0.0/8. Repeatable.",
            rich_help_panel=_SCOPE,
        ),
    ] = None
    expires: Annotated[
        str,
        typer.Option(
            metavar="TIME", help="Day or time it ends, ISO 8601: 2027-12-31.", rich_help_panel=_SCOPE
        ),
    ] = ""
    days: Annotated[
        int | None, typer.Option(min=1, help="Or the days until then.", rich_help_panel=_SCOPE)
    ] = None
    label: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE", help="For allocating cost: team=search. Repeatable.", rich_help_panel=_SCOPE
        ),
    ] = None

    def body(self) -> Document:
        """What was given."""
        body: Document = {}
        if self.models:
            body["models"] = parse.read_words(self.models)
        if self.cidr:
            body["networks"] = parse.read_words(self.cidr)
        if self.label:
            body["labels"] = parse.read_labels(self.label)
        expires_at = parse.read_expiry(self.expires, self.days, SystemClock().wall_s())
        if expires_at is not None:
            body["expires_at"] = expires_at
        return body
