"""Is this file what its address says? PNG and JPEG pictures, MP4 films, GLB models, read as far as a player reads."""

import json
import shutil
import struct
import subprocess
import zlib
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener


def download(url: str) -> bytes:
    """Result addresses are the provider's: they need no key."""
    with build_opener(ProxyHandler({})).open(url, timeout=10) as answer:
        data: bytes = answer.read()
        return data


def check_picture(data: bytes) -> tuple[int, int]:
    """Width and height of a PNG or JPEG."""
    return _check_jpeg(data) if data.startswith(b"\xff\xd8\xff") else _check_png(data)


def _check_png(data: bytes) -> tuple[int, int]:
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at = 8
    names: list[bytes] = []
    packed = b""
    header = b""
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        content = data[at + 8 : at + 8 + size]
        (checksum,) = struct.unpack_from(">I", data, at + 8 + size)
        assert zlib.crc32(name + content) == checksum, name
        names.append(name)
        packed += content if name == b"IDAT" else b""
        header = content if name == b"IHDR" else header
        at += 12 + size
    assert names[0] == b"IHDR"
    assert names[-1] == b"IEND"
    width, height, depth, colour = struct.unpack_from(">IIBB", header)
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    row = 1 + (width * samples * depth + 7) // 8
    assert len(zlib.decompress(packed)) == row * height
    return width, height


def _check_jpeg(data: bytes) -> tuple[int, int]:
    assert data.endswith(b"\xff\xd9")
    at = 2
    while at < len(data):
        marker, size = struct.unpack_from(">HH", data, at)
        if 0xFFC0 <= marker <= 0xFFC3:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + size
    raise AssertionError("no frame header")


def check_mp4(data: bytes, directory: Path) -> None:
    """Boxes fill the file; with ffprobe on the machine, it finds a film of more than no length."""
    boxes: dict[bytes, int] = {}
    at = 0
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        assert size >= 8, name
        boxes[name] = size
        at += size
    assert at == len(data)
    assert next(iter(boxes)) == b"ftyp"
    assert boxes[b"moov"] > 100
    assert boxes[b"mdat"] > 100
    if probe := shutil.which("ffprobe"):
        file = directory / "film.mp4"
        file.write_bytes(data)
        command = [probe, "-v", "error", "-show_format", "-show_streams", "-of", "json", str(file)]
        shown = subprocess.run(command, capture_output=True, check=True, timeout=30)
        facts = json.loads(shown.stdout)
        assert shown.stderr == b""
        assert float(facts["format"]["duration"]) > 0
        assert any(stream["codec_type"] == "video" for stream in facts["streams"])


def check_glb(data: bytes) -> Any:
    """The JSON chunk of a binary glTF whose every buffer view lies in its binary chunk."""
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    size, kind = struct.unpack_from("<I4s", data, 12)
    assert kind == b"JSON"
    scene = json.loads(data[20 : 20 + size])
    binary_size, binary_kind = struct.unpack_from("<I4s", data, 20 + size)
    assert binary_kind == b"BIN\0"
    assert 20 + size + 8 + binary_size == len(data)
    assert scene["asset"]["version"] == "2.0"
    assert scene["meshes"]
    assert all(view.get("byteOffset", 0) + view["byteLength"] <= binary_size for view in scene["bufferViews"])
    return scene
