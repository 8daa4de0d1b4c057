from hypothesis import given
from hypothesis import strategies as st

from aimesh.catalog.match import endpoint_name, expand, matches
from aimesh.core.ids import InterfaceId, ModelName, ProviderId

_TEXT = st.text(alphabet="ab/.*?[x", max_size=8)
_NAMES = tuple(map(ModelName, ("qwen/a", "qwen/b", "other/a", "plain")))


def test_endpoint_name() -> None:
    made = endpoint_name(ProviderId("p_bj"), ModelName("v/m"), InterfaceId("open_ai"))
    assert made == "p_bj@v/m@open_ai"


@given(_TEXT)
def test_a_star_matches_everything(name: str) -> None:
    assert matches("*", name)


@given(_TEXT.filter(lambda text: "*" not in text), _TEXT)
def test_without_a_star_only_equal_names_match(pattern: str, name: str) -> None:
    assert matches(pattern, name) == (pattern == name)


@given(_TEXT, _TEXT, _TEXT)
def test_a_star_stands_for_any_text(before: str, middle: str, after: str) -> None:
    before, after = before.replace("*", ""), after.replace("*", "")
    assert matches(f"{before}*{after}", before + middle + after)


@given(_TEXT, _TEXT)
def test_matching_agrees_with_a_plain_search(pattern: str, name: str) -> None:
    """An independent matcher: the pieces occur in order, first and last at the ends."""

    def rest(pieces: list[str], text: str) -> bool:
        if len(pieces) == 1:
            return text == pieces[0]
        if not text.startswith(pieces[0]):
            return False
        text = text[len(pieces[0]) :]
        return any(rest(pieces[1:], text[cut:]) for cut in range(len(text) + 1))

    assert matches(pattern, name) == rest(pattern.split("*"), name)


def test_expansion_against_the_catalogue() -> None:
    aliases = {"short": ModelName("qwen/b")}
    assert expand(["qwen/*"], _NAMES, aliases) == {"qwen/a", "qwen/b"}
    assert expand(["*/a", "plain"], _NAMES, aliases) == {"qwen/a", "other/a", "plain"}
    assert expand(["short"], _NAMES, aliases) == {"qwen/b"}
    assert expand(["*"], _NAMES, aliases) == set(_NAMES)
    assert expand([], _NAMES, aliases) == frozenset()
    assert expand(["qwen/z"], _NAMES, aliases) == frozenset()


def test_a_hostile_pattern_takes_no_longer() -> None:
    """A search that goes back would try some 10**20 ways."""
    assert not matches("*a" * 40 + "*b", "a" * 2_000)
