"""The documentation is held to the code: names, links, commands and samples that it mentions exist and work.

Pages are checked as they are written: inline code, fenced blocks and links. A page that names what is not there
fails with the page and the name.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest
import typer
from msgspec import Struct
from typer.core import TyperGroup

from aimesh.catalog.decode import decode
from aimesh.catalog.document import read_document
from aimesh.catalog.operator import OperatorFile
from aimesh.catalog.reconcile import read_mapping
from aimesh.catalog.schema import ModelFile, ProviderEntry
from aimesh.cli.main import app
from aimesh.core import errors
from aimesh.settings import compile_settings

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "aimesh"
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "changes").rglob("*.md")]
    if path.is_file()
)
EXPLAINED = [path for path in PAGES if path.parent.name == "explain"]
TWINS = [path for path in PAGES if path.name.endswith(".zh-CN.md")]
TRANSLATED = (
    "README.md",
    "docs/explain/architecture.md",
    "docs/explain/life-of-a-call.md",
    "docs/how-to/add-a-provider-or-model.md",
    "docs/how-to/run-in-production.md",
)
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))

FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FILE_NAME = re.compile(r"([\w./-]+\.py)(?:::([\w.]+))?")
MEMBER = re.compile(r"(_?[A-Z][A-Za-z]+)\.([a-z_]\w*)(?:\(.*)?")
COMMAND = re.compile(r"(?:.*[\s/])?aimesh ([a-z][a-z-]*)((?: .*)?)")
"""The last one of a line: a user or a directory may have the same name."""
MAKE = re.compile(r"(?:^|\s)make ([a-z][a-z-]*)")
SHELL = ("bash", "sh", "ini")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def inline_code(text: str) -> list[str]:
    return INLINE.findall(FENCE.sub("", text))


def fences(text: str, *languages: str) -> list[str]:
    return [body for language, body in FENCE.findall(text) if language in languages]


def written_commands(text: str) -> list[str]:
    """What a reader may type: inline code, and the lines of shell blocks without their comments."""
    lines = [line.partition(" #")[0] for body in fences(text, *SHELL) for line in body.splitlines()]
    return inline_code(text) + lines


# Files, functions and members that pages name.


def find_file(name: str) -> Path | None:
    for place in (ROOT / name, SOURCE / name):
        if place.is_file():
            return place
    if "/" not in name:
        return next(iter(sorted(SOURCE.rglob(name))), None)
    return None


@cache
def definitions(path: Path) -> frozenset[str]:
    """Names of a file: functions, classes, ``Class.member``, constants."""
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        for name in _names(node):
            found.add(name)
        if isinstance(node, ast.ClassDef):
            found.update(f"{node.name}.{name}" for name in _members(node))
    return frozenset(found)


def _names(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id
    elif isinstance(node, ast.Assign):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _members(node: ast.ClassDef) -> Iterator[str]:
    for part in node.body:
        yield from _names(part)
    for inner in ast.walk(node):
        if (
            isinstance(inner, ast.Attribute)
            and isinstance(inner.value, ast.Name)
            and inner.value.id == "self"
        ):
            yield inner.attr


@cache
def members_by_class() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path in SOURCE.rglob("*.py"):
        for name in definitions(path):
            owner, dot, member = name.partition(".")
            if dot:
                found.setdefault(owner, set()).add(member)
    return found


def unknown_names(text: str) -> list[str]:
    """Files, ``file.py::name`` and ``Class.member`` in inline code that do not exist."""
    wrong: list[str] = []
    for code in inline_code(text):
        if (named := FILE_NAME.fullmatch(code)) is not None:
            path = find_file(named[1])
            if path is None or (named[2] and named[2] not in definitions(path)):
                wrong.append(code)
        elif (member := MEMBER.fullmatch(code)) is not None:
            known = members_by_class().get(member[1])
            if known is not None and member[2] not in known:
                wrong.append(code)
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_named_files_and_functions_exist(page: Path) -> None:
    assert unknown_names(page.read_text()) == []


@pytest.mark.parametrize("page", EXPLAINED, ids=name_of)
def test_explained_members_belong_to_classes_of_the_code(page: Path) -> None:
    owners = {found[1] for code in inline_code(page.read_text()) if (found := MEMBER.fullmatch(code))}
    assert owners - members_by_class().keys() == set()


def test_the_check_of_names_sees_what_it_looks_for() -> None:
    assert (
        unknown_names(
            "`net/walk.py::Walk.cancel` `pipeline.py` `tests/rules/test_docs.py::PAGES` `Walk.cancel`"
        )
        == []
    )
    assert unknown_names("`net/walk.py::Walk.fly` `net/nowhere.py` `Walk.fly`") == [
        "net/walk.py::Walk.fly",
        "net/nowhere.py",
        "Walk.fly",
    ]


def test_pages_that_the_code_names_exist() -> None:
    missing = {
        (name_of(path), page)
        for path in SOURCE.rglob("*.py")
        for page in re.findall(r"docs/[\w./-]+\.md", path.read_text())
        if not (ROOT / page).is_file()
    }
    assert missing == set()


# Links.


def slug(heading: str) -> str:
    """The anchor that a heading gets where Markdown is shown."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return kept.replace(" ", "-")


def headings(text: str) -> list[str]:
    return re.findall(r"^(#+ .+)$", FENCE.sub("", text), re.MULTILINE)


def broken_links(page: Path) -> list[str]:
    broken: list[str] = []
    for link in LINK.findall(FENCE.sub("", page.read_text())):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = unquote(link).partition("#")
        path = (page.parent / target).resolve() if target else page
        is_there = path.exists() and path.is_relative_to(ROOT)
        if is_there and anchor:
            is_there = anchor in {slug(each.lstrip("#")) for each in headings(path.read_text())}
        if not is_there:
            broken.append(link)
    return broken


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    assert broken_links(page) == []


def test_every_page_can_be_reached_from_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in LINK.findall(index.read_text())}
    pages = [
        path
        for path in PAGES
        if path.is_relative_to(ROOT / "docs")
        and path not in DECISIONS
        and path != index
        and path not in TWINS
    ]
    assert [name_of(path) for path in pages if path not in linked] == []


# Commands.


def command_tree() -> TyperGroup:
    tree = typer.main.get_command(app)
    assert isinstance(tree, TyperGroup)
    return tree


def command_faults(text: str) -> list[str]:
    """Commands, subcommands and options of ``aimesh`` that do not exist."""
    tree = command_tree()
    wrong: list[str] = []
    for written in written_commands(text):
        found = COMMAND.fullmatch(written)
        if found is None:
            continue
        command = tree.commands.get(found[1])
        words = found[2].split()
        while isinstance(command, TyperGroup) and words and re.fullmatch(r"[a-z|\\-]+", words[0]):
            names = re.split(r"\\?\|", words.pop(0))
            inner = [command.commands.get(name) for name in names]
            command = None if None in inner else inner[0]
        if command is None:
            wrong.append(written)
            continue
        options = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
        asked = [word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)]
        wrong += [f"{written}: {word}" for word in asked if word not in options | {"--help"}]
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_exist(page: Path) -> None:
    assert command_faults(page.read_text()) == []


def test_the_check_of_commands_sees_what_it_looks_for() -> None:
    assert command_faults("`aimesh key create x --model 'qwen/*'` `aimesh usage tail -f`") == []
    assert command_faults("`aimesh alert channel add x webhook --disabled` `aimesh alert rule list`") == []
    assert command_faults("`aimesh alert rule fly`") == ["aimesh alert rule fly"]
    assert command_faults(
        "`aimesh fly` `aimesh key fly` `aimesh serve --fast`\n\n```bash\naimesh run  # now\n```"
    ) == [
        "aimesh fly",
        "aimesh key fly",
        "aimesh serve --fast: --fast",
        "aimesh run ",
    ]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    asked = {name for written in written_commands(page.read_text()) for name in MAKE.findall(written)}
    assert asked - targets == set()


def test_every_command_is_in_both_readmes() -> None:
    for name in ("README.md", "README.zh-CN.md"):
        text = (ROOT / name).read_text()
        assert [
            each for each in command_tree().commands if f"`aimesh {each}" not in text and each != "version"
        ] == []


# Metrics and settings.


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_metrics_are_counted(page: Path) -> None:
    counters = ("observer.py", "telemetry/metrics.py", "supervisor/supervisor.py")
    counted = "\n".join((SOURCE / name).read_text() for name in counters)
    named = {code for code in inline_code(page.read_text()) if re.fullmatch(r"aimesh_[a-z_]+", code)}
    assert [name for name in sorted(named) if f'"{name}"' not in counted] == []


def unknown_settings(text: str) -> list[str]:
    """``section.key`` in inline code, where the section is one of aimesh.yaml and the key is not."""
    wrong: list[str] = []
    for code in inline_code(text):
        found = re.fullmatch(r"([a-z_]+)\.(?!json$|sse$)([a-z_]+)(?:: .*)?", code)
        section = getattr(OperatorFile(), found[1], None) if found is not None else None
        if (
            found is not None
            and isinstance(section, Struct)
            and found[2] not in section.__struct_encode_fields__
        ):
            wrong.append(code)
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_settings_exist(page: Path) -> None:
    assert unknown_settings(page.read_text()) == []


def test_the_check_of_settings_sees_what_it_looks_for() -> None:
    assert unknown_settings("`limits.max_body_bytes` `keys.reveal: never` `other.thing`") == []
    assert unknown_settings("`limits.max_bodies` `keys.hide: never`") == [
        "limits.max_bodies",
        "keys.hide: never",
    ]


# Samples.


def yaml_blocks() -> list[tuple[str, str]]:
    return [(name_of(page), body) for page in PAGES for body in fences(page.read_text(), "yaml")]


@pytest.mark.parametrize(("page", "block"), yaml_blocks())
def test_yaml_samples_are_accepted(page: str, block: str, tmp_path: Path) -> None:
    kind = re.match(r"# .*catalog/data/(providers|models)/", block)
    if kind is not None:
        document, problems = read_document(block, page)
        value, more = decode(document, ProviderEntry if kind[1] == "providers" else ModelFile)
        assert problems + more == []
        assert value is not None
        return
    if block.startswith("# mapping: "):
        assert read_mapping(block, page).columns.time
        return
    file = tmp_path / "aimesh.yaml"
    file.write_text(block, encoding="utf-8")
    environ = dict.fromkeys(re.findall(r"\$\{(\w+)", block), "x" * 20)
    settings = compile_settings(file, environ | {"AIMESH_HOME": str(tmp_path)})
    assert settings.file == file


# Translations.


def test_what_ought_to_be_translated_is() -> None:
    for name in TRANSLATED:
        assert (ROOT / name.replace(".md", ".zh-CN.md")).is_file()


@pytest.mark.parametrize("twin", TWINS, ids=name_of)
def test_a_translation_has_the_shape_of_its_original(twin: Path) -> None:
    original = twin.with_name(twin.name.replace(".zh-CN", "")).read_text()
    text = twin.read_text()

    def levels(page: str) -> list[int]:
        return [len(heading) - len(heading.lstrip("#")) for heading in headings(page)]

    def names(page: str) -> set[str]:
        return {code for code in inline_code(page) if FILE_NAME.fullmatch(code)}

    assert levels(text) == levels(original)
    assert len(FENCE.findall(text)) == len(FENCE.findall(original))
    assert names(text) == names(original)


# Reference pages.


def test_the_pages_of_the_api_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "generate_api_pages.py"), "--check"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), (
        "run: python scripts/generate_api_pages.py"
    )


def test_every_error_is_explained() -> None:
    page = (ROOT / "docs" / "reference" / "errors.md").read_text()
    tree = errors.__doc__ or ""
    codes = set(re.findall(r"(?:GATEWAY|UPSTREAM)_[A-Z_]+", tree))
    assert len(codes) > 20
    assert [code for code in sorted(codes) if f"`{code}`" not in page] == []


# Decisions.


def test_decisions_are_numbered_without_gaps() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("path", DECISIONS, ids=name_of)
def test_a_decision_says_why_what_and_whether(path: Path) -> None:
    text = path.read_text()
    assert text.startswith(f"# {path.name[:4]} ")
    for part in ("**Context.**", "**Decision.**", "**Status.**"):
        assert part in text
