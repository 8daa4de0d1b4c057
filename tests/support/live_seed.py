"""The call samples of the product's page: taken from its text, kept as files, made to run.

1. The page's text has lost its line ends: ``\\ -H`` stands where a shell line was continued, and Python statements
   follow each other on one line. ``samples`` restores the line ends and changes nothing else.
2. A sample runs unmodified but for host and key.
"""

import io
import re
import tokenize

HOST = "https://cn-shanghai-alicloud-aimesh.api.clickzetta.com"
KEY = "<your-api-key>"
_JOINING = frozenset(("import", "as", "in", "is", "not", "and", "or", "if", "else", "for", "from"))
_ENDING = frozenset((tokenize.NAME, tokenize.STRING, tokenize.NUMBER))


def samples(page: str) -> dict[str, str]:
    """File name to text: ``curl_01.sh`` ..., ``python_01.py.txt`` ..., in the order of the page."""
    lines = [line.strip() for line in page.splitlines()]
    curls = [re.sub(r" \\ (?=-)", r" \\\n  ", line) for line in lines if line.startswith("curl ")]
    pythons = [
        "\n".join(_statements(line)) for line in lines if re.match(r"(from|import) \w+ (import )?\w+ ", line)
    ]
    found = {f"curl_{number:02}.sh": text + "\n" for number, text in enumerate(curls, 1)}
    return found | {f"python_{number:02}.py.txt": text + "\n" for number, text in enumerate(pythons, 1)}


def _statements(line: str) -> list[str]:
    """Cuts where one statement ends and the next begins: a name after a complete expression, outside brackets."""
    cuts = [0]
    depth = 0
    before: tokenize.TokenInfo | None = None
    for token in tokenize.generate_tokens(io.StringIO(line).readline):
        if token.type == tokenize.OP:
            depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(token.string, 0)
        is_name = token.type == tokenize.NAME
        starts_import = is_name and token.string in {"import", "from"} and depth == 0
        if before is not None and is_name and depth == 0 and (token.string not in _JOINING or starts_import):
            ends = before.string in {")", "]", "}"} or (
                before.type in _ENDING and before.string not in _JOINING
            )
            so_far = line[cuts[-1] : token.start[1]]
            in_from = starts_import and so_far.startswith("from ") and " import" not in so_far
            if ends and not in_from:
                cuts.append(token.start[1])
        before = token
    return [line[begin:end].strip() for begin, end in zip(cuts, [*cuts[1:], len(line)], strict=True)]


def runnable(sample: str, *, origin: str, key: str) -> str:
    """The sample against a live gateway. A shell sample takes the key from ``$API_KEY``."""
    assert HOST in sample
    return sample.replace(HOST, origin).replace(KEY, key)
