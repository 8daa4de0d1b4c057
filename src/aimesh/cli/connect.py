"""What every command over the admin API has in common: where the gateway is, how to print, what to say on failure.

1. ``command`` gives a function the options of this file, runs it, and prints its ``Answer`` or why there is none.
2. With ``--url`` (``AIMESH_URL``) the gateway is asked over HTTP, with a token. Without, the same API runs in this
   process on the local database, as the operator of this machine; a running gateway follows within a second.
3. The API and its client are imported when a command needs them: ``aimesh --help`` and ``aimesh serve`` do not.
"""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

import typer
from msgspec import Struct, structs
from typer.core import TyperCommand

from aimesh.catalog.problem import ConfigError
from aimesh.cli.client import AdminClient, Transport
from aimesh.cli.faults import CommandFault, Misused, Refused
from aimesh.cli.output import Answer, Format, Style, show_answer, show_fault
from aimesh.core.clock import SystemClock
from aimesh.core.secret import Secret

_WHERE = "Which gateway"
_PRINTED = "Output"

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="aimesh.yaml of this machine; default: AIMESH_CONFIG, else the one in the home directory.",
        rich_help_panel=_WHERE,
    ),
]
UrlOption = Annotated[
    str,
    typer.Option(
        envvar="AIMESH_URL",
        metavar="URL",
        help="A running gateway, asked over HTTP; default: the database of this machine.",
        rich_help_panel=_WHERE,
    ),
]
TokenOption = Annotated[
    str,
    typer.Option(
        envvar="AIMESH_TOKEN",
        metavar="TEXT",
        help="Token for --url. Other users of this machine can see it here: prefer the variable or --token-file.",
        rich_help_panel=_WHERE,
    ),
]
TokenFileOption = Annotated[
    Path | None,
    typer.Option(
        envvar="AIMESH_TOKEN_FILE", metavar="FILE", help="File with the token.", rich_help_panel=_WHERE
    ),
]
TenantOption = Annotated[
    str,
    typer.Option(metavar="ID", help="Tenant to act in; default: your own.", rich_help_panel=_WHERE),
]
FormatOption = Annotated[
    Format,
    typer.Option("--format", help="table is tab-separated on a pipe.", rich_help_panel=_PRINTED),
]
FieldOption = Annotated[
    str,
    typer.Option(
        "--field", metavar="A,B", help="Only these fields, in this order.", rich_help_panel=_PRINTED
    ),
]
JsonOption = Annotated[
    bool,
    typer.Option("--json", help="JSON of the data alone, without the envelope.", rich_help_panel=_PRINTED),
]


class Given(Struct, frozen=True):
    """The common options as they were given."""

    config: Path | None
    url: str
    token: Secret[str] | None
    tenant: str
    style: Style


class Session:
    """One command's way to the admin API, which is opened at first use."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self._client: AdminClient | None = None

    @property
    def client(self) -> AdminClient:
        if self._client is None:
            self._client = AdminClient(_transport(self.given), tenant=self.given.tenant)
        return self._client

    @property
    def is_for_people(self) -> bool:
        return self.given.style.format is Format.TABLE

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ends the command when somebody says no."""
        if not yes and not typer.confirm(question, err=True):
            raise typer.Exit(1)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()


_REMOTE = frozenset({"url", "token", "token_file", "tenant"})
"""Options that make no sense for a command that asks no gateway."""


class Options(Struct, frozen=True, kw_only=True):
    """Options that several commands share: each field is an option. A parameter of such a type takes them all."""


WorkT = TypeVar("WorkT", bound=Callable[..., Answer])
"""Takes the session, then the command's own options."""

GREEDY = frozenset({"--models", "--private-keys", "--providers"})
"""Options that take every word up to the next option: ``--providers a b c``."""


class Command(TyperCommand):
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, spread(args))


def spread(words: list[str]) -> list[str]:
    """``--providers a b`` as ``--providers a --providers b``."""
    found: list[str] = []
    greedy, taken = "", 0
    for place, word in enumerate(words):
        if word == "--":
            return found + words[place:]
        if word.startswith("-") and word != "-":
            greedy, taken = (word if word in GREEDY else ""), 0
        elif greedy:
            taken += 1
            if taken > 1:
                found.append(greedy)
        found.append(word)
    return found


def command(
    app: typer.Typer, name: str = "", *, panel: str = "", is_local: bool = False
) -> Callable[[WorkT], WorkT]:
    """Makes a function a command of ``app``. Its first parameter is the session, the others are its own. ``is_local``:
    it reads files of this machine and asks no gateway."""

    def register(work: WorkT) -> WorkT:
        own = list(inspect.signature(work, eval_str=True).parameters.values())[1:]
        groups = {one.name: _options_of(one.annotation) for one in own if _is_group(one.annotation)}
        shared = [
            one
            for one in inspect.signature(_given).parameters.values()
            if not is_local or one.name not in _REMOTE
        ]
        plain = [one for one in own if one.name not in groups]

        # Typer calls a command with its options by name; which ones there are, the signature below says.
        def run(**options: Any) -> None:
            given = _given(**{one.name: options.pop(one.name) for one in shared})
            for one in own:
                if one.name in groups:
                    members = {option.name: options.pop(option.name) for option in groups[one.name]}
                    options[one.name] = one.annotation(**members)
            run_command(given, lambda session: work(session, **options))

        listed = [*plain, *(option for group in groups.values() for option in group), *shared]
        # What inspect.signature reads first; functions have no such attribute of their own.
        run.__signature__ = inspect.Signature(sorted(listed, key=lambda one: one.kind))  # type: ignore[attr-defined]
        run.__annotations__ = {}
        run.__doc__ = work.__doc__
        run.__name__ = work.__name__
        app.command(name or None, cls=Command, rich_help_panel=panel or None)(run)
        return work

    return register


def _is_group(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Options)


def _options_of(group: type[Options]) -> list[inspect.Parameter]:
    annotations = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=annotations[field.name],
        )
        for field in structs.fields(group)
    ]


def run_command(given: Given, work: Callable[[Session], Answer]) -> None:
    """Runs a command and prints what came of it."""
    clock = SystemClock()
    started_s = clock.monotonic_s()
    session = Session(given)
    try:
        answer = _worked(work, session)
        show_answer(answer, given.style, round((clock.monotonic_s() - started_s) * 1000))
    except CommandFault as fault:
        show_fault(fault, given.style)
        raise typer.Exit(fault.exit_code) from fault
    else:
        if answer.is_failure:
            raise typer.Exit(1)
    finally:
        session.close()


def _worked(work: Callable[[Session], Answer], session: Session) -> Answer:
    try:
        return work(session)
    except ConfigError as error:
        problems = [str(problem) for problem in error.problems]
        raise Refused("the configuration is wrong", code="CONFIG_ERROR", details=problems) from error


def _given(
    *,
    ctx: typer.Context,
    config: ConfigOption = None,
    url: UrlOption = "",
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    tenant: TenantOption = "",
    output: FormatOption = Format.TABLE,
    field: FieldOption = "",
    as_json: JsonOption = False,
) -> Given:
    style = Style(
        format=Format.JSON if as_json else output,
        fields=tuple(one.strip() for one in field.split(",") if one.strip()),
        is_bare=as_json,
    )
    try:
        if config is not None and url:
            if _is_typed(ctx, "url"):
                raise Misused(
                    "--config is for this machine and --url for a running gateway: give one of them"
                )
            url = ""
        if not url and (_is_typed(ctx, "token") or _is_typed(ctx, "token_file")):
            raise Misused(
                "a token is for a running gateway: add --url, for example --url http://127.0.0.1:8600"
            )
        secret = _token(token, token_file, prefer_file=not _is_typed(ctx, "token")) if url else None
    except CommandFault as fault:
        show_fault(fault, style)
        raise typer.Exit(fault.exit_code) from fault
    return Given(config=config, url=url, token=secret, tenant=tenant, style=style)


def _is_typed(ctx: typer.Context, name: str) -> bool:
    """On the command line, not in the environment."""
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _token(text: str, file: Path | None, *, prefer_file: bool) -> Secret[str] | None:
    if file is not None and (prefer_file or not text):
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Misused(f"the token's file {file} cannot be read: {error}") from error
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isprintable()):
        raise Misused("the token has characters that no header can carry")
    return Secret(text)


def _transport(given: Given) -> Transport:
    # Here, so that an HTTP client and the whole API are loaded only for a command that needs them.
    if given.url:
        from aimesh.cli.http import Http  # noqa: PLC0415

        return Http(given.url, given.token)
    from aimesh.cli.local import open_local  # noqa: PLC0415

    return open_local(given.config)
