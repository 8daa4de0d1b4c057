from aimesh.catalog.decode import decode
from aimesh.catalog.document import EMPTY, Document
from aimesh.catalog.operator import OperatorFile


def test_an_empty_file_is_all_defaults() -> None:
    value, problems = decode(Document(file="f", root=EMPTY), OperatorFile)
    assert problems == []
    assert value == OperatorFile()


def test_the_defaults_are_the_decided_ones() -> None:
    defaults = OperatorFile()
    timeouts = defaults.timeouts
    assert (timeouts.connect_s, timeouts.first_byte_stream_s, timeouts.first_byte_whole_s) == (5, 120, 600)
    assert (timeouts.idle_s, timeouts.whole_s) == (120, 900)
    assert defaults.routing.attempts == 4
    assert defaults.timezone == "Asia/Shanghai"
    assert defaults.journal.fsync_ms == 100
    assert defaults.journal.keep_days == 90
    assert defaults.simulator == "off"
