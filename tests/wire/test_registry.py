"""The list of interfaces, and that each has its golden cases."""

from tests.support.wire_cases import ROOT, case_folders

from aimesh.wire.registry import INTERFACES, TASK_INTERFACES, find_interface, find_task_interface

IDS = {
    "open_ai",
    "anthropic",
    "responses",
    "open_ai_embedding",
    "open_ai_image",
    "ark_image",
    "task",
    "ark_embedding",
    "dashscope_video",
    "dashscope_embedding",
}


def test_all_ten_are_there() -> None:
    assert {str(interface.id) for interface in INTERFACES} == IDS
    assert len(INTERFACES) == len(IDS)


def test_lookup() -> None:
    for interface in INTERFACES:
        assert find_interface(interface.id) is interface
    for task_interface in TASK_INTERFACES:
        assert find_task_interface(task_interface.id) is task_interface
    assert find_interface("gemini") is None
    assert find_task_interface("open_ai") is None


def test_what_costs_again_is_sent_once() -> None:
    assert {str(interface.id) for interface in INTERFACES if interface.once} == {
        "task",
        "dashscope_video",
        "ark_image",
        "open_ai_image",
    }


def test_no_interface_forwards_a_credential() -> None:
    for interface in INTERFACES:
        assert not interface.forwards & {
            b"authorization",
            b"x-api-key",
            b"x-dashscope-apikey",
            b"cookie",
            b"host",
        }


def test_every_folder_of_cases_belongs_to_an_interface_and_is_run() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/cases")}
    assert folders == IDS
    for name in folders:
        assert len(case_folders(name)) >= 5
        assert f'case_folders("{name}")' in (ROOT / name / "test_interface.py").read_text()
