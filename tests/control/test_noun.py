"""An operation cannot be added without a row in the table of access, nor served twice."""

import pytest

from aimesh.control.app import NOUNS, check_nouns
from aimesh.control.noun import Noun


def test_an_operation_needs_a_row() -> None:
    noun = Noun("things", "What things are.")
    with pytest.raises(LookupError, match="list_things has no row"):
        noun.get("/things", "list_things")
    assert noun.router.routes == []


def test_an_operation_is_served_once() -> None:
    noun = Noun("more", "More of the same.")

    @noun.get("/more", "list_audit")
    def more() -> str:
        return ""

    check_nouns(NOUNS)
    with pytest.raises(LookupError, match="served twice: list_audit"):
        check_nouns((*NOUNS, noun))
    assert more() == ""
