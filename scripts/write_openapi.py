"""Writes the admin API's OpenAPI document to the path given: what the console's client is generated from."""

import json
import sys
from pathlib import Path

from aimesh.control.app import document


def main() -> None:
    target = Path(sys.argv[1])
    text = json.dumps(document(), ensure_ascii=False, indent=1)
    # Untouched when nothing changed: what is made from it stays fresh too.
    if not target.is_file() or target.read_text(encoding="utf-8") != text:
        target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
