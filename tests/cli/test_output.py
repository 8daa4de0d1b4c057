import csv
import io
import json
from typing import Any

import pytest

from aimesh.cli.faults import Misused, Refused
from aimesh.cli.output import Answer, Format, Style, cell, show_answer, show_fault

ROWS: list[dict[str, Any]] = [
    {"id": "1", "alias": 'a, "b"', "models": ["x", "y"], "owner": {"name": "lin"}, "on": True, "rpm": None},
    {"id": "2", "alias": "第二", "models": [], "owner": {"name": "bo"}, "on": False, "rpm": 60},
]


def printed(
    capsys: pytest.CaptureFixture[str], answer: Answer, format_: Format, *fields: str, bare: bool = False
) -> str:
    show_answer(answer, Style(format=format_, fields=fields, is_bare=bare), 7)
    return capsys.readouterr().out


def test_json_has_an_envelope(capsys: pytest.CaptureFixture[str]) -> None:
    shown = json.loads(printed(capsys, Answer(data=ROWS, total=9), Format.JSON))
    assert shown == {"data": ROWS, "count": 2, "total": 9, "time_ms": 7}
    shown = json.loads(printed(capsys, Answer(data=ROWS[0]), Format.JSON))
    assert shown == {"data": ROWS[0], "time_ms": 7}


def test_json_can_be_bare(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(printed(capsys, Answer(data=ROWS), Format.JSON, bare=True)) == ROWS


def test_jsonl_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, Answer(data=ROWS), Format.JSONL).splitlines()
    assert [json.loads(line) for line in lines] == ROWS
    assert printed(capsys, Answer(data=[]), Format.JSONL) == ""


def test_csv_reads_back(capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(csv.DictReader(io.StringIO(printed(capsys, Answer(data=ROWS), Format.CSV))))
    assert rows[0] == {
        "id": "1",
        "alias": 'a, "b"',
        "models": "x, y",
        "owner": '{"name": "lin"}',
        "on": "yes",
        "rpm": "",
    }
    assert rows[1]["alias"] == "第二"
    assert printed(capsys, Answer(data=[], columns=("id", "alias")), Format.CSV) == "id,alias\n"


@pytest.mark.parametrize("format_", list(Format))
def test_fields_are_chosen_in_their_order(format_: Format, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, Answer(data=ROWS, text="not this"), format_, "owner.name", "id")
    match format_:
        case Format.JSON:
            assert json.loads(text)["data"][0] == {"owner.name": "lin", "id": "1"}
        case Format.JSONL:
            assert list(json.loads(text.splitlines()[1])) == ["owner.name", "id"]
        case Format.CSV:
            assert text == "owner.name,id\nlin,1\nbo,2\n"
        case Format.TABLE:
            assert text == "owner.name\tid\nlin\t1\nbo\t2\n"


def test_an_unknown_field_says_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Misused, match="--field takes: id, alias, models, owner, on, rpm"):
        printed(capsys, Answer(data=ROWS), Format.TABLE, "ids")
    assert printed(capsys, Answer(data=[]), Format.CSV, "ids") == "ids\n"


def test_people_get_their_own_rows_and_notes_beside(capsys: pytest.CaptureFixture[str]) -> None:
    answer = Answer(data=ROWS, people=[{"who": "lin"}], columns=("who",), note="1 of 2")
    show_answer(answer, Style(), 0)
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("who\nlin\n", "1 of 2\n")
    show_answer(Answer(data=ROWS[0], text="done", note="by the way"), Style(format=Format.JSON), 0)
    shown = capsys.readouterr()
    assert "by the way" not in shown.out + shown.err


def test_one_thing_stands_upright(capsys: pytest.CaptureFixture[str]) -> None:
    shown = printed(capsys, Answer(data=ROWS[0]), Format.TABLE).splitlines()
    assert shown[0] == "field\tvalue"
    assert shown[3:] == ["models\tx, y", 'owner\t{"name": "lin"}', "on\tyes", "rpm\t"]
    assert printed(capsys, Answer(data=ROWS[0], text="x"), Format.TABLE, "id") == "field\tvalue\nid\t1\n"


def test_nothing_that_others_wrote_moves_a_terminal() -> None:
    assert cell("a\x1b[31mb\tc\nd") == "a [31mb c d"
    assert cell(["x\x07", "y"]) == "x , y"
    assert cell({"a": "\x1b"}) == '{"a": "\\u001b"}'


def test_a_fault_is_for_people_or_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    fault = Refused("no \x1bsuch thing", code="NOT_THERE", details=["limits: wrong"])
    show_fault(fault, Style())
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "no  such thing\n  limits: wrong\n")
    for format_ in (Format.JSON, Format.JSONL, Format.CSV):
        show_fault(fault, Style(format=format_))
        shown = capsys.readouterr()
        error = {"code": "NOT_THERE", "message": "no \x1bsuch thing", "details": ["limits: wrong"]}
        assert json.loads(shown.out) == {"error": error}
        assert shown.err == ""
