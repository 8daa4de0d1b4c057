"""``aimesh model``: what can be called, by whom it is run, and what the installation changes about it."""

from typing import Annotated

import typer

from aimesh.catalog.schema import ModelEntry
from aimesh.cli.client import Page, segment
from aimesh.cli.connect import Session, command
from aimesh.cli.key_rows import find_key
from aimesh.cli.options import YesOption, page_note
from aimesh.cli.output import Answer, Document
from aimesh.cli.providers import FileOption, present_etag, read_entry

app = typer.Typer(no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="MODEL", help="Name of the model: qwen/qwen3.7-max.")]


@app.callback()
def models() -> None:
    """Models: what can be called, and through whom."""


@command(app, "list")
def list_models(
    session: Session,
    ref: Annotated[
        str, typer.Argument(metavar="[REF]", help="Alias or text of a key: only what it may call.")
    ] = "",
    *,
    search: Annotated[str, typer.Option(help="Only those with this in a name, title or description.")] = "",
    vendor: Annotated[str, typer.Option(help="Only of this maker.")] = "",
    kind: Annotated[str, typer.Option(help="chat, embedding, image, video, ...")] = "",
    page: Annotated[int, typer.Option(min=1, help="Which page.")] = 1,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Models on a page.")] = 10,
    no_limit: Annotated[bool, typer.Option("--no-limit", help="As many as --page-size.")] = False,
    page_size: Annotated[int, typer.Option(min=1, max=10_000, help="With --no-limit.")] = 200,
) -> Answer:
    """List models.

    \b
    Examples:
      aimesh model list --search seedance
      aimesh model list search-production --no-limit --field name --format csv
    """
    query = {
        "key": find_key(session, ref)["id"] if ref else None,
        "search": search or None,
        "vendor": vendor or None,
        "kind": kind or None,
    }
    size = page_size if no_limit else limit
    found = session.client.page("/models", query, number=page, size=size)
    return _listed(found, page)


@command(app)
def get(session: Session, model: NameArgument) -> Answer:
    """Show everything about a model: endpoints, prices, call examples."""
    found = session.client.get(_path(model)).data
    return Answer(
        data=found,
        people=[_endpoint_row(one) for one in found["endpoints"]],
        columns=("endpoint", "status", "upstream", "price"),
        title=f"{found['name']}: {found['description']}" if found["description"] else found["name"],
        note="Everything: --json. Calls to copy: aimesh examples.",
    )


@command(app, "set")
def set_model(session: Session, model: NameArgument, *, file: FileOption) -> Answer:
    """Add a model, or change a built-in one, from a YAML file.

    \b
    Examples:
      aimesh model set our/llama-70b -f llama.yaml
    """
    entry = read_entry(file, ModelEntry, name=model)
    kept = session.client.send("PUT", _path(model), entry, etag=present_etag(session, _path(model))).data
    return Answer(data=kept, text=f"{model} is set")


@command(app)
def reset(session: Session, model: NameArgument, *, yes: YesOption = False) -> Answer:
    """Forget what was set: a built-in model is as it came, another is gone."""
    session.confirm(f"Forget what was set for {model!r}?", yes=yes)
    session.client.send("DELETE", _path(model), etag=present_etag(session, _path(model)))
    return Answer(data={"name": model, "reset": True}, text=f"{model} is reset")


def _listed(found: Page, number: int) -> Answer:
    return Answer(
        data=found.rows,
        people=[_row(row) for row in found.rows],
        columns=("model", "name", "kind", "callable", "endpoints"),
        title="Models",
        note=page_note(number, len(found.rows), found.total, "models"),
        total=found.total,
    )


def _row(row: Document) -> Document:
    return {
        "model": row["name"],
        "name": row["title"],
        "kind": row["kind"],
        "callable": row["callable"],
        "endpoints": len(row["endpoints"]),
    }


def _endpoint_row(endpoint: Document) -> Document:
    return {
        "endpoint": endpoint["name"],
        "status": endpoint["status"],
        "upstream": endpoint["upstream"] or "unknown",
        "price": _price_text(endpoint["price"]),
    }


def _price_text(price: Document | None) -> str:
    """The first tier; whatever else there is, is named."""
    if price is None:
        return "unknown"
    tiers = price.get("tiers") or [{}]
    amounts = [f"{name} {tiers[0][name]}" for name in ("input", "output") if name in tiers[0]]
    more = [name for name in price if name not in ("currency", "date", "source", "tiers")]
    more += [f"{len(tiers)} tiers"] if len(tiers) > 1 else []
    return ", ".join([*amounts, *more]) + f" ({price['currency']})"


def _path(model: str) -> str:
    return f"/models/{segment(model, safe='/')}"
