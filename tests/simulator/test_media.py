"""The files are real: every one is taken apart here."""

import io
import json
import struct
import zipfile
import zlib

import pytest

from aimesh.simulator import media


def png_rows(content: bytes) -> tuple[int, int, list[bytes]]:
    """Width, height and the unpacked lines of a four-bit palette picture; checks every chunk's sum."""
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed, width, height = 8, b"", 0, 0
    names = []
    while at < len(content):
        length, name = struct.unpack(">I4s", content[at : at + 8])
        data = content[at + 8 : at + 8 + length]
        assert struct.unpack(">I", content[at + 8 + length : at + 12 + length])[0] == zlib.crc32(name + data)
        if name == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", data[:10])
            assert (depth, colour) == (4, 3)
        if name == b"PLTE":
            assert len(data) == 16 * 3
        if name == b"IDAT":
            packed += data
        names.append(name)
        at += 12 + length
    assert (names[0], names[-1]) == (b"IHDR", b"IEND")
    lines = zlib.decompress(packed)
    stride = 1 + (width + 1) // 2
    assert len(lines) == stride * height
    return width, height, [lines[row * stride : (row + 1) * stride] for row in range(height)]


@pytest.mark.parametrize(
    ("width", "height"), [(1, 1), (7, 3), (59, 60), (301, 200), (1024, 1024), (2048, 1152)]
)
def test_png_decodes(width: int, height: int) -> None:
    got_width, got_height, rows = png_rows(media.png("ab", width, height))
    assert (got_width, got_height) == (width, height)
    assert all(row[0] == 0 for row in rows)
    # The word stands in white (the last colour) across the middle of every picture that has room for it.
    middle = rows[height // 2]
    assert (b"\xff" in middle) is (width >= 118)


def test_png_depends_on_its_seed() -> None:
    assert media.png("aa", 64, 64) == media.png("aa", 64, 64) != media.png("ab", 64, 64)


def boxes(content: bytes) -> dict[str, bytes]:
    found, at = {}, 0
    while at < len(content):
        size, name = struct.unpack(">I4s", content[at : at + 8])
        assert size >= 8
        found[name.decode()] = content[at + 8 : at + size]
        at += size
    assert at == len(content)
    return found


def test_clip_is_an_mp4_with_picture_and_sound() -> None:
    clip = boxes(media.clip())
    assert next(iter(clip)) == "ftyp"
    assert {"ftyp", "moov", "mdat"} <= set(clip)
    movie = boxes(clip["moov"])
    scale, duration = struct.unpack(">II", movie["mvhd"][12:20])
    assert 0.9 <= duration / scale <= 1.2
    assert b"avc1" in clip["moov"]
    assert b"mp4a" in clip["moov"]
    assert len(media.clip()) < 16_384


def test_glb_is_valid() -> None:
    content = media.glb("ab")
    magic, version, length = struct.unpack("<4sII", content[:12])
    assert (magic, version, length) == (b"glTF", 2, len(content))
    text_length, text_kind = struct.unpack("<I4s", content[12:20])
    assert text_kind == b"JSON"
    assert text_length % 4 == 0
    scene = json.loads(content[20 : 20 + text_length])
    assert scene["asset"]["version"] == "2.0"
    binary_at = 20 + text_length
    binary_length, binary_kind = struct.unpack("<I4s", content[binary_at : binary_at + 8])
    assert binary_kind == b"BIN\0"
    binary = content[binary_at + 8 :]
    assert len(binary) == binary_length >= scene["buffers"][0]["byteLength"]
    sizes = {5126: 4, 5123: 2}
    counts = {"VEC3": 3, "SCALAR": 1}
    for accessor in scene["accessors"]:
        view = scene["bufferViews"][accessor["bufferView"]]
        assert (
            view["byteLength"]
            == accessor["count"] * sizes[accessor["componentType"]] * counts[accessor["type"]]
        )
        assert view["byteOffset"] + view["byteLength"] <= binary_length
    indices = struct.unpack("<36H", binary[576:648])
    assert set(indices) == set(range(24))
    positions = [struct.unpack("<3f", binary[at : at + 12]) for at in range(0, 288, 12)]
    normals = [struct.unpack("<3f", binary[at : at + 12]) for at in range(288, 576, 12)]
    assert {abs(value) for position in positions for value in position} == {0.5}
    for a, b, c in zip(indices[::3], indices[1::3], indices[2::3], strict=True):
        # Counter-clockwise from outside: the corner order agrees with the normal.
        ab = [positions[b][k] - positions[a][k] for k in range(3)]
        ac = [positions[c][k] - positions[a][k] for k in range(3)]
        cross = [ab[1] * ac[2] - ab[2] * ac[1], ab[2] * ac[0] - ab[0] * ac[2], ab[0] * ac[1] - ab[1] * ac[0]]
        assert sum(cross[k] * normals[a][k] for k in range(3)) > 0


def test_zip_holds_an_obj() -> None:
    with zipfile.ZipFile(io.BytesIO(media.obj_zip("ab"))) as archive:
        lines = archive.read("model.obj").decode().splitlines()
    assert sum(line.startswith("v ") for line in lines) == 24
    assert sum(line.startswith("f ") for line in lines) == 12


def test_names_say_what_they_hold() -> None:
    for name, kind in {
        "png-0a-64x32.png": b"image/png",
        "clip-0a.mp4": b"video/mp4",
        "cube-0a.glb": b"model/gltf-binary",
        "cube-0a.zip": b"application/zip",
    }.items():
        file = media.open_file(name)
        assert file is not None
        assert file.content_type == kind
    for name in ("", "png-0a-9999x1.png", "png-0a-0x1.png", "../secret", "clip-xyz.mp4", "cube-0a.exe"):
        assert media.open_file(name) is None
