from pathlib import Path
from zoneinfo import ZoneInfo

from tests.support.shell import Shell

from aimesh.core.clock import SystemClock
from aimesh.core.policy import Unit
from aimesh.limits.periods import day_at
from aimesh.store.ledger import Ledger, key_scope, ledger_path, prepare, row_name
from aimesh.store.ledger_file import RowKind

ZONE = ZoneInfo("Asia/Shanghai")


def use(home: Path, key_id: str, *, used: int, held: int) -> None:
    """As a worker counts it."""
    path = ledger_path(home)
    assert prepare(path, slots=1) == []
    alarms: list[str] = []
    ledger = Ledger(path, slot=0, on_alarm=alarms.append)
    try:
        day = day_at(ZONE, SystemClock().wall_s())
        row = ledger.row(row_name(key_scope(key_id), Unit.TOKENS), RowKind.QUOTA, day)
        assert row is not None
        row.add(used)
        row.hold(held)
    finally:
        ledger.close()
    assert alarms == []


def test_what_workers_counted_is_shown(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    key = shell.data("key", "create", "team", "--quota", "total:1000", "--budget", "total:5CNY")
    assert [row["used"] for row in shell.data("quota", "team")] == [0, "0"]
    use(tmp_path, key["id"], used=300, held=50)
    tokens, money = shell.data("quota", "team")
    assert (tokens["used"], tokens["held"], tokens["remaining"], tokens["resets_at"]) == (300, 50, 650, None)
    assert (money["limit"], money["used"]) == ("5", "0")
    assert "total 300 of 1,000" in shell.done("key", "list")
    header, first, _ = shell.done("quota", "team").splitlines()
    assert header.split("\t")[:4] == ["period", "unit", "limit", "used"]
    assert first.split("\t")[:4] == ["total", "tokens", "1000", "300"]


def test_a_key_without_limits_says_so(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell.done("key", "create", "free", "--no-quota")
    result = shell.run("quota", "free")
    assert result.exit_code == 0
    assert "free has no limit." in result.stderr
    assert shell.data("quota", "free") == []


def test_a_probe_needs_a_key_and_a_gateway(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    assert "AIMESH_API_KEY" in shell.misused("quota", "--probe")
    # Without --base-url it is this machine's own listener, where nobody is.
    (tmp_path / "aimesh.yaml").write_text("listen: ['127.0.0.1:1']\n", encoding="utf-8")
    result = shell.run(
        "quota", "--probe", "--format", "json", environment={"AIMESH_API_KEY": "ck-secret-text"}
    )
    assert result.exit_code == 1
    assert "http://127.0.0.1:1/gateway/v1 cannot be reached" in result.stdout
    assert "ck-secret-text" not in result.output
    piped = shell.run("quota", "--probe", "--api-key", "-", text="ck-secret-text\n")
    assert piped.exit_code == 1
    assert "cannot be reached" in piped.output
