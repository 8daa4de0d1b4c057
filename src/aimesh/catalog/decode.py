"""From located nodes to the Structs of a schema, reporting everything that is wrong at its place.

1. The field's type decides how a scalar's text is read, not YAML's guess.
2. Unknown keys are problems with a suggestion; so are missing ones and values of the wrong sort.
3. Decoding goes on after a problem, so one run reports them all; the value is None when there was any.
"""

import math
import re
from collections.abc import Callable
from collections.abc import Mapping as Table
from typing import TypeVar

import msgspec
from msgspec import inspect

from aimesh.catalog.document import Document, Mapping, Node, Path, Scalar, Sequence
from aimesh.catalog.problem import Problem, did_you_mean, shown_name, shown_value
from aimesh.core.money import parse_decimal
from aimesh.core.secret import Secret

StructT = TypeVar("StructT", bound=msgspec.Struct)

_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class _UnusableError(Exception):
    """A value that was reported already."""


def decode(document: Document, schema: type[StructT]) -> tuple[StructT | None, list[Problem]]:
    """The whole document as ``schema``."""
    decoder = _Decoder(document)
    try:
        value = decoder.read(document.root, inspect.type_info(schema), ())
    except _UnusableError:
        return None, decoder.problems
    if decoder.problems:
        return None, decoder.problems
    assert isinstance(value, schema)
    return value, []


class _Decoder:
    def __init__(self, document: Document) -> None:
        self._document = document
        self.problems: list[Problem] = []

    def fail(self, path: Path, message: str, suggestion: str = "", *, at_key: bool = False) -> _UnusableError:
        self.problems.append(self._document.problem(path, message, suggestion, at_key=at_key))
        return _UnusableError()

    def read(self, node: Node, kind: inspect.Type, path: Path) -> object:
        match kind:
            case inspect.UnionType():
                return self._union(node, kind, path)
            case inspect.StructType():
                return self._struct(node, kind, path)
            case inspect.DictType():
                return self._dict(node, kind, path)
            case inspect.VarTupleType():
                return self._items(node, kind, path)
        if not isinstance(node, Scalar):
            shape = "a mapping" if isinstance(node, Mapping) else "a list"
            raise self.fail(path, f"expected {_described(kind)}, found {shape}")
        return self._scalar(node, kind, path)

    def _union(self, node: Node, kind: inspect.UnionType, path: Path) -> object:
        members = [member for member in kind.types if not isinstance(member, inspect.NoneType)]
        if isinstance(node, Scalar) and node.is_null and len(members) < len(kind.types):
            return None
        fitting = [member for member in members if _fits(node, member)]
        if len(members) > 1 and not fitting:
            raise self.fail(path, f"expected {' or '.join(_described(member) for member in members)}")
        return self.read(node, (fitting or members)[0], path)

    def _struct(self, node: Node, kind: inspect.StructType, path: Path) -> object:
        if not isinstance(node, Mapping):
            if isinstance(node, Scalar) and node.is_null and not any(field.required for field in kind.fields):
                return kind.cls()
            known = ", ".join(field.encode_name for field in kind.fields)
            raise self.fail(path, "expected a mapping", f"known keys: {known}")
        fields = {field.encode_name: field for field in kind.fields}
        for name in node.entries:
            if name not in fields:
                hint = did_you_mean(name, fields) or f"known keys: {', '.join(fields)}"
                self.fail((*path, name), f"unknown key {shown_name(name)}", hint, at_key=True)
        values: dict[str, object] = {}
        usable = True
        for name, field in fields.items():
            if name in node.entries:
                try:
                    values[field.name] = self.read(node.entries[name][1], field.type, (*path, name))
                except _UnusableError:
                    usable = False
            elif field.required:
                self.fail(path, f"the key '{name}' is missing")
                usable = False
        if not usable:
            raise _UnusableError
        return kind.cls(**values)

    def _dict(self, node: Node, kind: inspect.DictType, path: Path) -> object:
        if not isinstance(node, Mapping):
            if isinstance(node, Scalar) and node.is_null:
                return {}
            raise self.fail(path, "expected a mapping of names to values")
        values: dict[object, object] = {}
        usable = True
        for name, (key, value) in node.entries.items():
            try:
                values[self._key(key, kind.key_type, (*path, name))] = self.read(
                    value, kind.value_type, (*path, name)
                )
            except _UnusableError:
                usable = False
        if not usable:
            raise _UnusableError
        return values

    def _key(self, key: Scalar, kind: inspect.Type, path: Path) -> object:
        match kind:
            case inspect.LiteralType() if key.text not in kind.values:
                hint = did_you_mean(key.text, map(str, kind.values)) or _known(kind)
                raise self.fail(path, f"unknown name {shown_name(key.text)}", hint, at_key=True)
        return key.text

    def _items(self, node: Node, kind: inspect.VarTupleType, path: Path) -> object:
        if not isinstance(node, Sequence):
            if isinstance(node, Scalar) and node.is_null:
                return ()
            raise self.fail(path, "expected a list", "begin each item with '- '")
        values: list[object] = []
        usable = True
        for index, item in enumerate(node.items):
            try:
                values.append(self.read(item, kind.item_type, (*path, index)))
            except _UnusableError:
                usable = False
        if not usable:
            raise _UnusableError
        return tuple(values)

    def _scalar(self, node: Scalar, kind: inspect.Type, path: Path) -> object:
        if node.is_null:
            raise self.fail(
                path, f"expected {_described(kind)}, found nothing", "leave the key out for its default"
            )
        match kind:
            case inspect.CustomType() if kind.cls is Secret:
                return Secret(node.text)
            case inspect.StrType():
                return self._text(node, kind, path)
            case inspect.BoolType():
                return self._parsed(node, kind, path, _boolean)
            case inspect.IntType():
                return self._within(self._parsed(node, kind, path, _integer), kind, path)
            case inspect.FloatType():
                return self._within(self._parsed(node, kind, path, _number), kind, path)
            case inspect.DecimalType():
                return self._parsed(node, kind, path, parse_decimal)
            case inspect.LiteralType():
                values = {str(value): value for value in kind.values}
                return self._chosen(node, values, path)
            case inspect.EnumType():
                return self._chosen(node, {str(member.value): member for member in kind.cls}, path)
        raise TypeError(f"the schema has a type that configuration cannot express: {kind}")

    def _text(self, node: Scalar, kind: inspect.StrType, path: Path) -> str:
        if kind.min_length and len(node.text) < kind.min_length:
            raise self.fail(path, "expected a text, found an empty one")
        if kind.pattern is not None and re.search(kind.pattern, node.text) is None:
            raise self.fail(path, f"{_found(node)} has a character that is not allowed here")
        return node.text

    def _parsed(self, node: Scalar, kind: inspect.Type, path: Path, parse: Callable[[str], object]) -> object:
        try:
            return parse(node.text)
        except ValueError as error:
            why = f": {error}" if isinstance(kind, inspect.DecimalType) else ""
            raise self.fail(path, f"expected {_described(kind)}, found {_found(node)}{why}") from None

    def _within(self, value: object, kind: inspect.IntType | inspect.FloatType, path: Path) -> object:
        assert isinstance(value, int | float)
        if (kind.ge is not None and value < kind.ge) or (kind.gt is not None and value <= kind.gt):
            least = f"at least {kind.ge}" if kind.ge is not None else f"more than {kind.gt}"
            raise self.fail(path, f"{value} is too small, {least} is needed")
        if kind.le is not None and value > kind.le:
            raise self.fail(path, f"{value} is too large, at most {kind.le} is possible")
        return value

    def _chosen(self, node: Scalar, values: Table[str, object], path: Path) -> object:
        if node.text in values:
            return values[node.text]
        hint = "" if node.is_from_environment else did_you_mean(node.text, values)
        raise self.fail(path, f"{_found(node)} is not possible here", hint or f"one of: {', '.join(values)}")


def _fits(node: Node, kind: inspect.Type) -> bool:
    match kind:
        case inspect.StructType() | inspect.DictType():
            return isinstance(node, Mapping)
        case inspect.VarTupleType():
            return isinstance(node, Sequence)
    return isinstance(node, Scalar)


def _found(node: Scalar) -> str:
    return "a value from the environment" if node.is_from_environment else shown_value(node.text)


def _described(kind: inspect.Type) -> str:
    match kind:
        case inspect.StrType() | inspect.CustomType():
            return "a text"
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType():
            return "a whole number"
        case inspect.FloatType():
            return "a number"
        case inspect.DecimalType():
            return "an amount"
        case inspect.LiteralType() | inspect.EnumType():
            return "one word"
        case inspect.VarTupleType():
            return "a list"
    return "a mapping"


def _known(kind: inspect.LiteralType) -> str:
    return f"one of: {', '.join(map(str, kind.values))}"


def _boolean(text: str) -> bool:
    try:
        return _BOOLEANS[text.casefold()]
    except KeyError:
        raise ValueError("not a truth value") from None


def _integer(text: str) -> int:
    if not text.isascii():
        raise ValueError("not a whole number")
    return int(text)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("not a finite number")
    return value
