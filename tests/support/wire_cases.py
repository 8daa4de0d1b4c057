"""Golden cases of the wire: what an interface makes of a request and of an upstream's answer.

A case is a folder ``tests/wire/<interface>/cases/<case>/``. Inputs: ``request.json``; ``upstream.sse`` or
``upstream.json``; ``case.json`` (all optional: ``upstream_name``, ``traits``, ``status`` of the upstream).
Outputs: ``prepared.json``, ``client.sse`` or ``client.json``, ``facts.json``.

After a change of behaviour: ``python -m tests.support.wire_cases`` writes the outputs anew; read the diff.
"""

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from aimesh.core.errors import Fault
from aimesh.core.traits import Traits
from aimesh.wire.interface import Interface, Peek, Prepared, Target, UpstreamError
from aimesh.wire.registry import find_interface

ROOT = Path(__file__).parent.parent / "wire"
INPUTS = frozenset({"request.json", "upstream.sse", "upstream.json", "case.json"})


class Setup(Struct, frozen=True, forbid_unknown_fields=True):
    upstream_name: str = "upstream-model"
    traits: Traits = Traits()
    status: int = 200
    note: str = ""


def case_folders(interface_id: str) -> list[Path]:
    return sorted(path for path in (ROOT / interface_id / "cases").iterdir() if path.is_dir())


def interface_of(folder: Path) -> Interface:
    interface = find_interface(folder.parent.parent.name)
    assert interface is not None, f"no interface for {folder}"
    return interface


def read_setup(folder: Path) -> Setup:
    path = folder / "case.json"
    return msgspec.json.decode(path.read_bytes(), type=Setup) if path.exists() else Setup()


def prepare(folder: Path) -> tuple[Peek, Prepared]:
    """Raises the ``Fault`` that refuses the request."""
    interface, setup = interface_of(folder), read_setup(folder)
    body = (folder / "request.json").read_bytes()
    peek = interface.peek(body)
    return peek, interface.prepare(body, peek, Target(setup.upstream_name, setup.traits))


def outputs(folder: Path) -> dict[str, bytes]:
    """The files that a case ought to hold beside its inputs."""
    interface, setup = interface_of(folder), read_setup(folder)
    facts: dict[str, Any] = {}
    files: dict[str, bytes] = {}
    try:
        peek, prepared = prepare(folder)
    except Fault as fault:
        facts["refused"] = {"code": fault.code, "message": fault.message, "param": fault.param}
        return {"facts.json": _pretty(facts)}
    facts["peek"] = _changed(peek, Peek(model=""))
    facts["prepared"] = _changed(prepared, Prepared(body=prepared.body, stream=False))
    files["prepared.json"] = prepared.body
    stream, whole = folder / "upstream.sse", folder / "upstream.json"
    if stream.exists():
        tap = interface.open_tap(prepared)
        files["client.sse"] = tap.feed(stream.read_bytes()) + tap.close()
        facts["stream"] = {
            "started": tap.started,
            "ended": tap.ended,
            "error": _error(tap.error),
            "usage": msgspec.to_builtins(tap.usage),
            "output_chars": tap.output_chars,
        }
    elif whole.exists() and setup.status >= 400:
        facts["error"] = _error(interface.read_error(setup.status, whole.read_bytes()))
    elif whole.exists():
        answer = interface.read_answer(whole.read_bytes(), prepared)
        if answer.error is None:
            files["client.json"] = answer.body
        facts["answer"] = {
            "error": _error(answer.error),
            "usage": msgspec.to_builtins(answer.usage),
            "task": msgspec.to_builtins(answer.task),
            "reported_model": answer.reported_model,
        }
    files["facts.json"] = _pretty(facts)
    return files


def check(folder: Path) -> None:
    """Compares a case with its files, bytes and all; a file too many or too few fails too."""
    expected = outputs(folder)
    found = {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in INPUTS}
    assert found == expected


def write(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name not in INPUTS:
            path.unlink()
    for name, content in outputs(folder).items():
        (folder / name).write_bytes(content)


def _error(error: UpstreamError | None) -> object:
    return None if error is None else _changed(error, UpstreamError(status=0, code="", message=""))


def _changed(value: Struct, default: Struct) -> dict[str, Any]:
    """The fields that differ from the default, without the body (it has a file of its own)."""
    fields: dict[str, Any] = {}
    for name in value.__struct_fields__:
        found = getattr(value, name)
        if name != "body" and found != getattr(default, name):
            fields[name] = msgspec.to_builtins(found, enc_hook=_text)
    if "headers" in fields:
        fields["headers"] = {name.decode(): text.decode() for name, text in getattr(value, "headers", ())}
    if "drops" in fields:
        fields["drops"] = sorted(name.decode() for name in getattr(value, "drops", ()))
    return fields


def _text(value: object) -> object:
    return value.decode() if isinstance(value, bytes) else str(value)


def _pretty(facts: dict[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(facts), indent=2) + b"\n"


def main() -> None:
    for cases in sorted(ROOT.glob("*/cases")):
        for folder in case_folders(cases.parent.name):
            write(folder)


if __name__ == "__main__":
    main()
