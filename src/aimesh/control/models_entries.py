"""Changes of administrators to the catalogue: entries as JSON become overlays, checked against everything they meet.

1. An entry has the fields of aimesh.yaml. What is wrong is told whole, each with its place and, where known, what to
   write instead.
2. A change is judged by the catalogue that it makes: one that would not fit is refused, so what is published stays
   whole. A fault that was there before does not stand in the way of mending another.
3. What aimesh.yaml names is the file's alone: 409 ``ENTRY_READ_ONLY``.
"""

import json
from collections.abc import Mapping
from typing import TypeVar

import msgspec
from msgspec import structs
from pydantic import JsonValue

from aimesh.catalog import document as nodes
from aimesh.catalog.decode import decode
from aimesh.catalog.document import Document, Path
from aimesh.catalog.problem import ConfigError, Problem
from aimesh.catalog.schema import ModelEntry, PriceEntry, ProviderEntry
from aimesh.control.audit import Target, audited
from aimesh.control.errors import Conflict, Detail, Invalid, Stale
from aimesh.control.identity import Caller
from aimesh.control.models_catalog import stored_overlays
from aimesh.control.parts import Parts
from aimesh.core.ids import ModelName, ProviderId
from aimesh.settings import NO_OVERLAYS, Overlays, Settings, overlaid_entries
from aimesh.store import overlays
from aimesh.store.credentials import PLATFORM
from aimesh.store.engine import Connection
from aimesh.store.overlays import Overlay, OverlayKind

EntryT = TypeVar("EntryT", ProviderEntry, ModelEntry, PriceEntry)
_SECTION = {OverlayKind.PROVIDER: "providers", OverlayKind.MODEL: "models"}


class _Sent(Document, frozen=True):
    """A document that came as JSON: a problem has its path, and no line."""

    def problem(self, path: Path, message: str, suggestion: str = "", *, at_key: bool = False) -> Problem:
        found = super().problem(path, message, suggestion, at_key=at_key)
        return structs.replace(found, path=path)


def read_entry(body: Mapping[str, JsonValue], schema: type[EntryT], field: str = "") -> EntryT:
    """``field``: where in the request it stands. Raises ``Invalid``."""
    try:
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        # JSON may hold half of a surrogate pair; nothing else can.
        raise _invalid([Detail(path=field, message="a text is not Unicode")]) from error
    entry, problems = decode(_Sent(file="", root=_node(dict(body))), schema)
    if entry is None:
        details = [_detail(one, ()) for one in problems]
        raise _invalid([_under(field, one) for one in details])
    return entry


def _under(field: str, detail: Detail) -> Detail:
    path = f"{field}.{detail.path}" if field and detail.path else field or detail.path
    return detail.model_copy(update={"path": path})


def _node(value: JsonValue) -> nodes.Node:
    if isinstance(value, dict):
        entries = {
            name: (nodes.Scalar(text=name, line=1, column=1), _node(item)) for name, item in value.items()
        }
        return nodes.Mapping(entries=entries, line=1, column=1)
    if isinstance(value, list):
        return nodes.Sequence(items=tuple(map(_node, value)), line=1, column=1)
    if isinstance(value, str):
        return nodes.Scalar(text=value, line=1, column=1, is_plain=False)
    text = "null" if value is None else str(value).lower()
    return nodes.Scalar(text=text, line=1, column=1)


def check_not_of_file(settings: Settings, kind: OverlayKind, name: str) -> None:
    if is_of_file(settings, kind, name):
        raise Conflict("ENTRY_READ_ONLY", "aimesh.yaml defines this; change it there")


def is_of_file(settings: Settings, kind: OverlayKind, name: str) -> bool:
    layer = settings.sources.layer
    if kind is OverlayKind.PROVIDER:
        return name in layer.providers
    return any(model.name == name for _, model in layer.models)


def put(
    parts: Parts,
    db: Connection,
    before: Overlay | None,
    entry: ProviderEntry | ModelEntry,
    *,
    name: str,
    caller: Caller,
) -> Overlay:
    """Raises ``Invalid`` where the catalogue would not fit any more."""
    kind = OverlayKind.PROVIDER if isinstance(entry, ProviderEntry) else OverlayKind.MODEL
    _check_fits(parts.settings, db, kind, name, entry)
    document = msgspec.json.encode(entry, order="sorted")
    # What cannot be read back would stand in everybody's way.
    msgspec.json.decode(document, type=type(entry))
    if before is not None and before.document == document:
        return before
    version = 0 if before is None else before.version
    kept = overlays.put_overlay(db, kind, name, document=document, before=version, at_s=caller.source.at_s)
    if kept is None:
        raise Stale
    _audit(db, caller, kept, before=before, after=kept)
    return kept


def stored_model(overlay: Overlay) -> ModelEntry:
    """Raises ``Conflict``."""
    try:
        return msgspec.json.decode(overlay.document, type=ModelEntry)
    except msgspec.MsgspecError as error:
        raise Conflict("ENTRY_UNREADABLE", "a later release wrote the change of this model") from error


def reset(parts: Parts, db: Connection, before: Overlay, caller: Caller) -> None:
    """Raises ``Conflict`` where something else stands on it."""
    try:
        _check_fits(parts.settings, db, before.kind, before.name, None)
    except Invalid as error:
        raise Conflict("ENTRY_IN_USE", f"it is needed: {error.message}", details=error.details) from error
    overlays.delete_overlay(db, before.kind, before.name)
    _audit(db, caller, before, before=before, after=None)


def _audit(
    db: Connection, caller: Caller, what: Overlay, *, before: Overlay | None, after: Overlay | None
) -> None:
    action = f"{what.kind}.{'reset' if after is None else 'change'}"
    target = Target(kind=what.kind, id=what.name, name=what.name, tenant=PLATFORM)
    changes = {"entry": {"from": shown_document(before), "to": shown_document(after)}}
    audited(db, caller, action, target, changes)


def shown_document(overlay: Overlay | None) -> dict[str, JsonValue] | None:
    if overlay is None:
        return None
    shown: dict[str, JsonValue] = msgspec.json.decode(overlay.document)
    return shown


def _check_fits(
    settings: Settings, db: Connection, kind: OverlayKind, name: str, entry: ProviderEntry | ModelEntry | None
) -> None:
    stored = _readable(db)
    known = {_said(problem) for problem in _problems(settings, stored)}
    new = [
        problem
        for problem in _problems(settings, _with(stored, kind, name, entry))
        if _said(problem) not in known
    ]
    if new:
        raise _invalid([_detail(problem, (_SECTION[kind], name)) for problem in new])


def _readable(db: Connection) -> Overlays:
    try:
        return stored_overlays(db)
    except ConfigError:
        # By a later release: what cannot be read is not used by anybody.
        return NO_OVERLAYS


def _problems(settings: Settings, stored: Overlays) -> tuple[Problem, ...]:
    try:
        overlaid_entries(settings, stored)
    except ConfigError as error:
        return error.problems
    return ()


def _said(problem: Problem) -> tuple[Path, str]:
    return problem.path, problem.message


def _with(
    stored: Overlays, kind: OverlayKind, name: str, entry: ProviderEntry | ModelEntry | None
) -> Overlays:
    providers = {
        one: value for one, value in stored.providers.items() if (kind, one) != (OverlayKind.PROVIDER, name)
    }
    models = {one: value for one, value in stored.models.items() if (kind, one) != (OverlayKind.MODEL, name)}
    if isinstance(entry, ProviderEntry):
        providers[ProviderId(name)] = entry
    elif isinstance(entry, ModelEntry):
        models[ModelName(name)] = entry
    return Overlays(providers=providers, models=models)


def _detail(problem: Problem, at: Path) -> Detail:
    """``at``: the entry that was sent; its own fields are told from there."""
    path = problem.path[len(at) :] if problem.path[: len(at)] == at else problem.path
    return Detail(path=".".join(map(str, path)), message=problem.message, hint=problem.suggestion)


def _invalid(details: list[Detail]) -> Invalid:
    message = details[0].message if len(details) == 1 else f"{len(details)} things are wrong with the entry"
    return Invalid("INVALID_ENTRY", message, details=details)
