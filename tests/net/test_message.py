"""What errors of an exchange say."""

from aimesh.net.message import BadAnswer, ConnectFailed, ConnectionLost, ExchangeError, TimedOut


def test_a_time_out_names_its_phase_and_limit() -> None:
    error = TimedOut("first byte", 120.0, was_sent=True)
    assert str(error) == "first byte timeout after 120 s"
    assert (error.phase, error.limit_s, error.was_sent) == ("first byte", 120.0, True)


def test_every_failure_says_whether_the_request_may_have_arrived() -> None:
    for kind in (ConnectFailed, ConnectionLost, BadAnswer):
        error = kind("why", was_sent=False)
        assert isinstance(error, ExchangeError)
        assert (str(error), error.was_sent) == ("why", False)
