import json
import os
import pwd
from pathlib import Path

from tests.support.shell import Shell


def test_the_log_names_who_did_what_to_what(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell.done("key", "create", "team")
    shell.done("key", "disable", "team")
    shell.done("tenant", "add", "research")
    rows = shell.data("audit", "list")
    assert [row["action"] for row in rows] == ["tenant.create", "key.disable", "key.create"]
    assert {row["actor"]["name"] for row in rows} == {pwd.getpwuid(os.getuid()).pw_name}
    assert {row["actor"]["kind"] for row in rows} == {"local"}

    def actions(*words: str) -> list[str]:
        return [row["action"] for row in shell.data("audit", "list", *words)]

    assert actions("--action", "key") == ["key.disable", "key.create"]
    assert actions("--target", "research") == ["tenant.create"]
    assert actions("--actor", "nobody") == []
    assert actions("--since", "1h", "--action", "key.create") == ["key.create"]
    assert actions("--until", "1h") == []
    assert actions("--since", "2001-01-01", "--until", "2001-01-02") == []
    assert actions("--page", "2", "--page-size", "2") == ["key.create"]
    lines = shell.done("audit", "list", "--format", "jsonl").splitlines()
    assert [json.loads(line)["action"] for line in lines] == [row["action"] for row in rows]
    shell.misused("audit", "list", "--since", "yesterday")
