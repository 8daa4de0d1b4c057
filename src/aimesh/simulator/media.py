"""Real files, made in code: PNG pictures, GLB and OBJ cubes; and one MP4 clip that ships with the package.

1. A file's name says everything about its content, so nothing is stored: ``png-<seed>-<w>x<h>.png``,
   ``clip-<seed>.mp4``, ``cube-<seed>.glb``, ``cube-<seed>.zip`` (an OBJ file).
2. Every picture carries the word SIMULATED.
3. The clip is one second of a test pattern with a tone, H.264 and AAC (made once with
   ``ffmpeg -f lavfi -i testsrc``); it is the same whatever length was asked for.
"""

import hashlib
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from importlib import resources

from msgspec import Struct

from aimesh.simulator.answers import encode_json

_PICTURE = re.compile(r"png-([0-9a-f]{1,16})-(\d{1,5})x(\d{1,5})\.png")
_OTHER = re.compile(r"(?:clip|cube)-([0-9a-f]{1,16})\.(mp4|glb|zip)")
_SIDE_LIMIT = 8192

# Five columns by seven rows; a row is five bits.
_GLYPHS = {
    "S": (0b01111, 0b10000, 0b10000, 0b01110, 0b00001, 0b00001, 0b11110),
    "I": (0b01110, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110),
    "M": (0b10001, 0b11011, 0b10101, 0b10101, 0b10001, 0b10001, 0b10001),
    "U": (0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110),
    "L": (0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b11111),
    "A": (0b01110, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001),
    "T": (0b11111, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100),
    "E": (0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b11111),
    "D": (0b11110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b11110),
}
_WORD = "SIMULATED"
_COLUMNS = len(_WORD) * 6 + 5
"""Width of the word in its own dots, margins included."""


class File(Struct, frozen=True):
    content: bytes
    content_type: bytes


def seed_of(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def open_file(name: str) -> File | None:
    """The file of this name, or None where no answer of ours can have named it."""
    if (picture := _PICTURE.fullmatch(name)) is not None:
        width, height = int(picture[2]), int(picture[3])
        if not (1 <= width <= _SIDE_LIMIT and 1 <= height <= _SIDE_LIMIT):
            return None
        return File(png(picture[1], width, height), b"image/png")
    other = _OTHER.fullmatch(name)
    if other is None:
        return None
    make: dict[str, tuple[Callable[[str], bytes], bytes]] = {
        "mp4": (lambda _: clip(), b"video/mp4"),
        "glb": (glb, b"model/gltf-binary"),
        "zip": (obj_zip, b"application/zip"),
    }
    maker, content_type = make[other[2]]
    return File(maker(other[1]), content_type)


def clip() -> bytes:
    return resources.files("aimesh.simulator").joinpath("assets", "clip.mp4").read_bytes()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(seed: str, width: int, height: int) -> bytes:
    """Sixteen bands of the seed's colours with SIMULATED across the middle; four bits a pixel."""
    digest = hashlib.sha256(seed.encode()).digest()
    red, green, blue = digest[0], digest[1], digest[2]
    palette = bytearray()
    for step in range(15):
        palette += bytes((channel * (step + 4) // 20 + 20) & 0xFF for channel in (red, green, blue))
    palette += b"\xff\xff\xff"
    dot = max(1, width // _COLUMNS)
    top = max(0, (height - 7 * dot) // 2)
    packer = zlib.compressobj(level=1)
    body = bytearray()
    for y in range(height):
        band = min(14, y * 15 // height)
        row = (y - top) // dot if y >= top else -1
        is_text = 0 <= row < 7 and width >= _COLUMNS
        nibbles = (
            _text_row(row, band, dot, width) if is_text else bytes([band << 4 | band]) * ((width + 1) // 2)
        )
        body += packer.compress(b"\0" + nibbles)
    body += packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 4, 3, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"PLTE", bytes(palette))
        + _chunk(b"tEXt", b"Comment\0simulated")
        + _chunk(b"IDAT", bytes(body))
        + _chunk(b"IEND", b"")
    )


def _text_row(row: int, band: int, dot: int, width: int) -> bytes:
    """One line of pixels through the word, two pixels a byte."""
    hexes = "0123456789abcdef"
    ground, ink = hexes[band] * dot, "f" * dot
    dots = ground * 3
    for letter in _WORD:
        bits = _GLYPHS[letter][row]
        dots += "".join(ink if bits >> (4 - column) & 1 else ground for column in range(5)) + ground
    return bytes.fromhex(dots[:width].ljust(width + (width & 1), hexes[band]))


_FACES = (
    ((0, 0, 1), (1, 0, 0), (0, 1, 0)),
    ((0, 0, -1), (-1, 0, 0), (0, 1, 0)),
    ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    ((-1, 0, 0), (0, 0, 1), (0, 1, 0)),
    ((0, 1, 0), (1, 0, 0), (0, 0, -1)),
    ((0, -1, 0), (1, 0, 0), (0, 0, 1)),
)
"""Normal, right and up of each side."""
_CORNERS = ((-1, -1), (1, -1), (1, 1), (-1, 1))


def _cube() -> tuple[list[tuple[float, ...]], list[tuple[int, ...]], list[int]]:
    """Corners (four a side), their normals, and the triangles."""
    positions: list[tuple[float, ...]] = []
    normals: list[tuple[int, ...]] = []
    indices: list[int] = []
    for normal, right, up in _FACES:
        first = len(positions)
        for across, along in _CORNERS:
            positions.append(tuple((normal[k] + across * right[k] + along * up[k]) * 0.5 for k in range(3)))
            normals.append(normal)
        indices += [first, first + 1, first + 2, first, first + 2, first + 3]
    return positions, normals, indices


def glb(seed: str) -> bytes:
    """A cube in the seed's colour (glTF 2.0 binary: header, JSON chunk, BIN chunk)."""
    positions, normals, indices = _cube()
    binary = b"".join(struct.pack("<3f", *position) for position in positions)
    binary += b"".join(struct.pack("<3f", *normal) for normal in normals)
    binary += struct.pack(f"<{len(indices)}H", *indices)
    digest = hashlib.sha256(seed.encode()).digest()
    colour = [round(0.2 + 0.8 * byte / 255, 3) for byte in digest[:3]] + [1.0]
    scene = {
        "asset": {"version": "2.0", "generator": "aimesh provider simulator"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "simulated"}],
        "meshes": [
            {"primitives": [{"attributes": {"POSITION": 0, "NORMAL": 1}, "indices": 2, "material": 0}]}
        ],
        "materials": [{"pbrMetallicRoughness": {"baseColorFactor": colour, "metallicFactor": 0.1}}],
        "accessors": [
            {
                "bufferView": 0,
                "componentType": 5126,
                "count": 24,
                "type": "VEC3",
                "min": [-0.5, -0.5, -0.5],
                "max": [0.5, 0.5, 0.5],
            },
            {"bufferView": 1, "componentType": 5126, "count": 24, "type": "VEC3"},
            {"bufferView": 2, "componentType": 5123, "count": 36, "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": 288, "target": 34962},
            {"buffer": 0, "byteOffset": 288, "byteLength": 288, "target": 34962},
            {"buffer": 0, "byteOffset": 576, "byteLength": 72, "target": 34963},
        ],
        "buffers": [{"byteLength": len(binary)}],
    }
    text = encode_json(scene)
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    length = 12 + 8 + len(text) + 8 + len(binary)
    return (
        struct.pack("<4sII", b"glTF", 2, length)
        + struct.pack("<I4s", len(text), b"JSON")
        + text
        + struct.pack("<I4s", len(binary), b"BIN\0")
        + binary
    )


def obj_zip(seed: str) -> bytes:
    positions, _, indices = _cube()
    lines = [f"# simulated {seed}", "o simulated"]
    lines += ["v " + " ".join(f"{value:g}" for value in position) for position in positions]
    lines += [
        "f " + " ".join(str(index + 1) for index in indices[at : at + 3]) for at in range(0, len(indices), 3)
    ]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo("model.obj")
        archive.writestr(entry, "\n".join(lines) + "\n")
    return packed.getvalue()
