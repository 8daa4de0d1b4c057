"""A YAML text as nodes that know where they stand. Meaning comes later, from the types of the schema.

1. Scalars keep their text: ``off`` under a text field is the text "off", an amount of ``3.20`` stays exact.
2. A key that occurs twice in a mapping is a problem, and so is an alias that contains itself.
3. ``${NAME}`` and ``${NAME:-default}`` are replaced in scalar values, never in keys; ``$${`` writes ``${``.
   What came from the environment is marked and never shown.
4. No text of the file is repeated in a problem: it may hold a secret.
"""

import re
from collections.abc import Callable, Iterable

import yaml
from msgspec import Struct

from aimesh.catalog.problem import Problem, shown_name, shown_value

Path = tuple[str | int, ...]
"""Keys and positions from the top of a document to a value."""


class Scalar(Struct, frozen=True):
    text: str
    line: int
    column: int
    is_plain: bool = True
    """Written without quotes."""
    is_from_environment: bool = False

    @property
    def is_null(self) -> bool:
        return self.is_plain and self.text in ("", "~", "null", "Null", "NULL")


class Sequence(Struct, frozen=True):
    items: tuple["Node", ...]
    line: int
    column: int


class Mapping(Struct, frozen=True):
    entries: dict[str, tuple[Scalar, "Node"]]
    line: int
    column: int


Node = Scalar | Sequence | Mapping
EMPTY = Mapping(entries={}, line=1, column=1)


class Document(Struct, frozen=True):
    file: str
    root: Node

    def problem(self, path: Path, message: str, suggestion: str = "", *, at_key: bool = False) -> Problem:
        """A problem with the value at ``path`` or the nearest that exists; ``at_key`` points at its key."""
        key, node = self._nearest(path)
        place = key if at_key and key is not None else node
        return Problem(
            file=self.file,
            line=place.line,
            column=place.column,
            message=message,
            suggestion=suggestion,
            # Names of a person's file may be secrets in the wrong place.
            path=path if self.root is EMPTY else (),
        )

    def shown(self, path: Path, text: str) -> str:
        """The value at ``path`` for a message; one from the environment is not shown."""
        _, node = self._nearest(path)
        is_hidden = isinstance(node, Scalar) and node.is_from_environment
        return "a value from the environment" if is_hidden else shown_value(text)

    def _nearest(self, path: Path) -> tuple[Scalar | None, Node]:
        """The node at ``path`` or the nearest that exists, and its key."""
        node: Node = self.root
        key: Scalar | None = None
        for step in path:
            if isinstance(node, Mapping) and isinstance(step, str) and step in node.entries:
                key, node = node.entries[step]
            elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
                key, node = None, node.items[step]
            else:
                break
        return key, node


_DEEPEST = 64
"""More levels than configuration has. The parser's own composer would end the process on a hostile depth."""


class _Reader:
    """Builds nodes from the parser's events and collects what is wrong."""

    def __init__(self, text: str, file: str) -> None:
        self._file = file
        self._events = yaml.parse(text, Loader=yaml.CSafeLoader)
        self._anchors: dict[str, Node | None] = {}
        """None while the anchored node is still open."""
        self._depth = 0
        self.problems: list[Problem] = []

    def document(self) -> Node:
        root: Node = EMPTY
        seen = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                seen += 1
                if seen == 2:
                    self._problem(event, "a second document", "one file holds one document")
                    return root
                self._anchors.clear()
            elif isinstance(event, yaml.NodeEvent):
                root = self._node(event)
        return root

    def _node(self, event: yaml.Event) -> Node:
        line, column = _place(event)
        if isinstance(event, yaml.AliasEvent):
            return self._aliased(event)
        if isinstance(event, yaml.ScalarEvent):
            scalar = Scalar(text=event.value, line=line, column=column, is_plain=not event.style)
            if event.anchor is not None:
                self._anchors[event.anchor] = scalar
            return scalar
        # Between nodes the parser sends nothing but these.
        assert isinstance(event, yaml.CollectionStartEvent)
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _TooDeepError(line, column)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        node: Node
        if isinstance(event, yaml.SequenceStartEvent):
            node = Sequence(items=self._items(), line=line, column=column)
        else:
            node = Mapping(entries=self._entries(), line=line, column=column)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        self._depth -= 1
        return node

    def _aliased(self, event: yaml.AliasEvent) -> Node:
        assert event.anchor is not None
        node = self._anchors.get(event.anchor)
        if node is not None:
            return node
        is_open = event.anchor in self._anchors
        self._problem(event, "an alias contains itself" if is_open else "an alias of nothing")
        line, column = _place(event)
        return Scalar(text="", line=line, column=column)

    def _items(self) -> tuple[Node, ...]:
        items: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event))
        return tuple(items)

    def _entries(self) -> dict[str, tuple[Scalar, Node]]:
        entries: dict[str, tuple[Scalar, Node]] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event)
            value = self._node(next(self._events))
            if not isinstance(key, Scalar):
                self._problem(event, "a key is a plain word")
            elif key.text in entries:
                first = entries[key.text][0].line
                self._problem(event, f"{shown_name(key.text)} is set twice", f"first set in line {first}")
            else:
                entries[key.text] = (key, value)
        return entries

    def _problem(self, event: yaml.Event, message: str, suggestion: str = "") -> None:
        line, column = _place(event)
        self.problems.append(
            Problem(file=self._file, line=line, column=column, message=message, suggestion=suggestion)
        )


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (1, 1) if mark is None else (mark.line + 1, mark.column + 1)


class _TooDeepError(Exception):
    def __init__(self, line: int, column: int) -> None:
        super().__init__(line, column)
        self.line = line
        self.column = column


def read_document(text: str, file: str) -> tuple[Document, list[Problem]]:
    """The nodes of a YAML text and what is wrong with it as YAML. An empty text is an empty mapping."""
    empty = Document(file=file, root=EMPTY)
    try:
        reader = _Reader(text, file)
        # Tags have no effect: nothing is constructed.
        root = reader.document()
    except yaml.MarkedYAMLError as error:
        return empty, [_syntax_problem(error, file)]
    except yaml.YAMLError:
        return empty, [Problem(file=file, line=1, column=1, message="not YAML: a forbidden character")]
    except _TooDeepError as error:
        return empty, [Problem(file=file, line=error.line, column=error.column, message="nested too deeply")]
    if isinstance(root, Scalar) and root.is_null:
        return empty, reader.problems
    return Document(file=file, root=root), reader.problems


def _syntax_problem(error: yaml.MarkedYAMLError, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    # The parser quotes pieces of the text (aliases, tags); only single characters are safe to repeat.
    words = re.sub(r"(['\"]).{2,}?\1", "...", error.problem or "unreadable")
    suggestion = "indent with spaces" if "'\\t'" in words or "\\t" in words else ""
    return Problem(
        file=file,
        line=mark.line + 1 if mark else 1,
        column=mark.column + 1 if mark else 1,
        message=f"not YAML: {words}",
        suggestion=suggestion,
    )


_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)\}|\$\{")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def interpolated(document: Document, lookup: Callable[[str], str | None]) -> tuple[Document, list[Problem]]:
    """The document with its references to the environment replaced."""
    problems: list[Problem] = []

    def visit(node: Node) -> Node:
        if isinstance(node, Scalar):
            if "$" not in node.text:
                return node
            text, wrong = expand(node.text, lookup)
            problems.extend(
                Problem(
                    file=document.file,
                    line=node.line,
                    column=node.column,
                    message=message,
                    suggestion=suggestion,
                )
                for message, suggestion in wrong
            )
            if text == node.text:
                return node
            return Scalar(
                text=text,
                line=node.line,
                column=node.column,
                is_plain=node.is_plain and bool(text),
                is_from_environment=True,
            )
        if isinstance(node, Sequence):
            return Sequence(items=tuple(map(visit, node.items)), line=node.line, column=node.column)
        entries = {name: (key, visit(value)) for name, (key, value) in node.entries.items()}
        return Mapping(entries=entries, line=node.line, column=node.column)

    root = visit(document.root)
    return Document(file=document.file, root=root), problems


def expand(text: str, lookup: Callable[[str], str | None]) -> tuple[str, Iterable[tuple[str, str]]]:
    """``text`` with its references replaced, and (message, suggestion) of each that cannot be.

    A variable that is set but empty counts as not set where a default is given.
    """
    wrong: list[tuple[str, str]] = []

    def replace(match: re.Match[str]) -> str:
        if match[0] == "$${":
            return "${"
        if match[1] is None:
            wrong.append(("'${' without '}'", "write '$${' for a literal '${'"))
            return ""
        name, has_default, default = match[1].partition(":-")
        if not _NAME.fullmatch(name):
            wrong.append(
                (
                    "the environment is read by ${NAME} or ${NAME:-default}",
                    "write '$${' for a literal '${'",
                )
            )
            return ""
        value = lookup(name)
        if has_default:
            return value or default
        if value is None:
            wrong.append(
                (
                    f"the environment variable '{name}' is not set",
                    f"set it, or write ${{{name}:-}} to leave the value empty",
                )
            )
            return ""
        return value

    return _REFERENCE.sub(replace, text), wrong
