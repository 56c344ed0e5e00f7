"""Files changed where their structure is: a field, an element, an order, with checksums made right.

A mutator takes the bytes of a file and a source of chance. What it gives differs in one or a few
places from a file that is read, so that the code behind the first check is reached as well.
"""

import csv
import io
import json
import random
import re
import struct
import zlib
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from dfsynth.store.checksum import with_checksum

Mutator: TypeAlias = Callable[[bytes, random.Random], bytes]

_NUMBERS: Final = (0, 1, 2, 7, 8, 127, 128, 255, 256, 32767, 32768, 65535, 2**24, 2**31 - 1, 2**31)
_ODD_VALUES: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, 1, -1, 7, 2**31, 2**63, -(2**63), 10**40, 0.0, -0.5, 1e308, 1e-320),
    *("", "0", "x", "é\u202e", "a\nb", "\x1b[2J", "../../x", "/etc/x", "x" * 5000, "\x00"),
    *([], {}, [[]], [0, 0], [1, 2, 3], ["x", None], {"x": 1}, [[[[[]]]]]),
)
_ODD_TOML: Final = (
    *("0", "-1", "1", "1.5", "nan", "-inf", "true", '""', '"x"', '"../../x"', "[]", "{}", "[[]]"),
    *("9223372036854775807", "1979-05-27", '["a", "b"]', "[1, 2]", '"\\u0000"', "{ x = 1 }", "="),
    *('"' + "x" * 3000 + '"', '["*"]', '"*/*/*/*"', '["."]', '""" a\nb """'),
)
_ODD_CELLS: Final = (
    *(
        "",
        " ",
        "0",
        "-1",
        "1e309",
        "nan",
        "NULL",
        '"',
        "a\nb",
        "é",
        "\ufeff",
        "../../x",
        "x" * 9000,
    ),
    *("2026-02-30", "true", "|", "a|b||", ";", "\x00", "\t", "C:\\x\\y.png", "٣", "1,5"),
)


def change_bytes(data: bytes, chance: random.Random) -> bytes:
    """One to three bytes set to anything, or a stretch cut out, doubled or zeroed."""
    changed = bytearray(data)
    if not changed:
        return b"\0"
    start = chance.randrange(len(changed))
    stretch = slice(start, start + chance.choice((1, 2, 16, 300)))
    action = chance.randrange(6)
    if action == 0:
        del changed[stretch]
    elif action == 1:
        changed[start:start] = changed[stretch]
    elif action == 2:
        changed[stretch] = bytes(len(changed[stretch]))
    else:
        for _ in range(chance.randint(1, 3)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def change_field(data: bytes, chance: random.Random, size: int = 4, order: str = "little") -> bytes:
    """An integer of `size` bytes, at a multiple of it, set to an odd one."""
    if len(data) < size:
        return change_bytes(data, chance)
    at = chance.randrange(len(data) // size) * size
    value = chance.choice((*_NUMBERS, len(data), len(data) + 1, chance.getrandbits(8 * size)))
    field = (value % 256**size).to_bytes(size, "little" if order == "little" else "big")
    return data[:at] + field + data[at + size :]


def rearrange(pieces: list[bytes], chance: random.Random, change: Mutator) -> list[bytes]:
    """One of the pieces changed, dropped, doubled or moved."""
    changed = list(pieces)
    at = chance.randrange(len(changed))
    action = chance.randrange(8)
    if action == 0:
        del changed[at]
    elif action == 1:
        changed.insert(at, changed[at])
    elif action == 2:
        changed.insert(chance.randrange(len(changed)), changed.pop(at))
    else:
        changed[at] = change(changed[at], chance)
    return changed


def mutate_png(data: bytes, chance: random.Random) -> bytes:
    """A chunk is changed, its check sum made right."""
    chunks, at = [], 8
    while at + 8 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        chunks.append(data[at + 4 : at + 8 + size])
        at += 12 + size

    def change(chunk: bytes, chance: random.Random) -> bytes:
        kind, body = chunk[:4], chunk[4:]
        if kind == b"IDAT" and chance.random() < 0.5:
            return kind + zlib.compress(change_bytes(zlib.decompress(body), chance))
        if kind == b"IHDR":
            return kind + change_field(body, chance, chance.choice((1, 4)), "big")
        return change_bytes(chunk, chance)

    changed = rearrange(chunks, chance, change)
    packed = (
        struct.pack(">I", max(len(chunk) - 4, 0)) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in changed
    )
    return data[:8] + b"".join(packed)


def mutate_jpeg(data: bytes, chance: random.Random) -> bytes:
    """A segment of the header is changed, or the compressed pixels."""
    pieces, at = [], 2
    while data[at : at + 1] == b"\xff" and data[at + 1] != 0xDA:
        (size,) = struct.unpack_from(">H", data, at + 2)
        pieces.append(data[at : at + 2 + size])
        at += 2 + size

    def change(piece: bytes, chance: random.Random) -> bytes:
        if chance.random() < 0.3:
            return piece[:2] + change_field(piece[2:4], chance, 2, "big") + piece[4:]
        return piece[:4] + change_field(piece[4:], chance, chance.choice((1, 2)), "big")

    if chance.random() < 0.3:
        return data[:at] + change_bytes(data[at:], chance)
    return data[:2] + b"".join(rearrange(pieces, chance, change)) + data[at:]


def mutate_tiff(data: bytes, chance: random.Random) -> bytes:
    """An entry of the directory is changed, or the way to it."""
    (directory,) = struct.unpack_from("<I", data, 4)
    (entries,) = struct.unpack_from("<H", data, directory)
    start, end = directory + 2, directory + 2 + 12 * entries
    if chance.random() < 0.15:
        return change_bytes(data, chance)
    if chance.random() < 0.15:
        next_directory = struct.pack("<I", chance.choice((0, 8, directory, end, len(data))))
        return data[:end] + next_directory + data[end + 4 :]
    table = [data[at : at + 12] for at in range(start, end, 12)]

    def change(entry: bytes, chance: random.Random) -> bytes:
        return change_field(entry, chance, chance.choice((2, 4)))

    changed = b"".join(rearrange(table, chance, change))[: end - start]
    return data[:start] + changed.ljust(end - start, b"\0") + data[end:]


def mutate_dicom(data: bytes, chance: random.Random) -> bytes:
    """An element with explicit value representation is changed: tag, kind, length or value."""
    elements, at = [], 132
    while at + 8 <= len(data):
        long = data[at + 4 : at + 6] in {b"OB", b"OW", b"SQ", b"UN", b"UT", b"OF"}
        size = struct.unpack_from("<I" if long else "<H", data, at + (8 if long else 6))[0]
        end = len(data) if size == 2**32 - 1 else at + (12 if long else 8) + size
        elements.append(data[at:end])
        at = end

    def change(element: bytes, chance: random.Random) -> bytes:
        if chance.random() < 0.5:
            return element[:8] + change_field(element[8:], chance, chance.choice((1, 2, 4)))
        if chance.random() < 0.3:
            return element[:4] + chance.choice((b"SQ", b"UN", b"DS", b"AT", b"??")) + element[6:]
        return change_field(element[:12], chance, 2) + element[12:]

    return data[:132] + b"".join(rearrange(elements, chance, change))


def mutate_jpeg2000(data: bytes, chance: random.Random) -> bytes:
    """A segment of the main header of the codestream in a DICOM file is changed."""
    stream = data.index(b"\xff\x4f\xff\x51")
    header_end = data.index(b"\xff\x90", stream)
    header = data[stream + 2 : header_end]
    changed = change_field(header, chance, chance.choice((1, 2, 4)), "big")
    if chance.random() < 0.2:
        changed = changed[: chance.randrange(len(changed))]
    return data[: stream + 2] + changed + data[header_end:]


def mutate_zip(data: bytes, chance: random.Random) -> bytes:
    """A field of a local header, of the list of members, or of its end is changed."""
    starts = [match.start() for match in re.finditer(rb"PK(\x01\x02|\x03\x04|\x05\x06)", data)]
    at = chance.choice(starts)
    head = slice(at + 4, at + chance.choice((22, 30, 46)))
    return data[: head.start] + change_field(data[head], chance, 2) + data[head.stop :]


def mutate_tar(data: bytes, chance: random.Random) -> bytes:
    """A field of a member's header is changed, its check sum made right."""
    blocks = [at for at in range(0, len(data) - 512, 512) if data[at + 257 : at + 262] == b"ustar"]
    if not blocks or chance.random() < 0.1:
        return change_bytes(data, chance)
    at = chance.choice(blocks)
    head = bytearray(data[at : at + 512])
    start, size = chance.choice(((0, 100), (100, 8), (124, 12), (136, 12), (156, 1), (345, 155)))
    odd = (b"7" * size, b"-1", b"\x80" + b"\xff" * 11, b"\0", b"\xff" * size, b"L", b"x", b"g")
    head[start : start + size] = chance.choice(odd)[:size].ljust(size, b"\0")
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return data[:at] + bytes(head) + data[at + 512 :]


def mutate_json(data: bytes, chance: random.Random) -> bytes:
    """A value somewhere in the document is replaced or dropped, or a key renamed."""
    document = json.loads(data)
    place: Any = document
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = chance.choice(keys)
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or chance.random() < 0.3:
            break
        place = inner
    action = chance.randrange(5)
    if action == 0:
        del place[key]
    elif action == 1 and isinstance(place, dict):
        place[chance.choice(("", "x", str(key).upper()))] = place.pop(key)
    else:
        place[key] = chance.choice(_ODD_VALUES)
    return json.dumps(document).encode()


def mutate_toml(data: bytes, chance: random.Random) -> bytes:
    """A line is dropped, doubled, moved, or given another value or key."""
    lines = data.decode().splitlines(keepends=True)

    def change(line: bytes, chance: random.Random) -> bytes:
        key, is_entry, value = line.decode().partition(" = ")
        if not is_entry:
            return chance.choice((b"[x]\n", b"[[table]]\n", b"[table]\n", b"x\n"))
        if chance.random() < 0.2:
            return f"{key}x = {value}".encode()
        return f"{key} = {chance.choice(_ODD_TOML)}\n".encode()

    return b"".join(rearrange([line.encode() for line in lines], chance, change))


def mutate_csv(data: bytes, chance: random.Random) -> bytes:
    """A cell, a column's name, the delimiter, the encoding or the quotes are changed."""
    rows = list(csv.reader(io.StringIO(data.decode())))
    row = chance.choice((rows[0], chance.choice(rows)))
    column = chance.randrange(len(row))
    action = chance.randrange(8)
    if action == 0:
        del row[column]
    elif action == 1:
        row.insert(column, row[column])
    else:
        row[column] = chance.choice(_ODD_CELLS)
    text = io.StringIO()
    csv.writer(text, delimiter=chance.choice(",,,;\t|")).writerows(rows)
    encoded = text.getvalue().encode(chance.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16")))
    return change_bytes(encoded, chance) if chance.random() < 0.2 else encoded


def mutate_parquet(data: bytes, chance: random.Random) -> bytes:
    """The footer, or a page, is changed."""
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    if chance.random() < 0.3:
        return data[:4] + change_bytes(data[4:footer], chance) + data[footer:]
    changed = change_bytes(data[footer:-8], chance)
    return data[:footer] + changed + struct.pack("<I", len(changed)) + data[-4:]


def mutate_safetensors(data: bytes, chance: random.Random) -> bytes:
    """The header, as JSON, its length, or the tensors are changed."""
    size = int.from_bytes(data[:8], "little")
    if chance.random() < 0.2:
        return change_field(data[:8], chance, 8) + data[8:]
    if chance.random() < 0.2:
        return data[: 8 + size] + change_bytes(data[8 + size :], chance)
    header = mutate_json(data[8 : 8 + size], chance)
    return len(header).to_bytes(8, "little") + header + data[8 + size :]


def mutate_shard(data: bytes, chance: random.Random, positions: int = 4) -> bytes:
    """The index is changed, its check sum made right; or a chunk."""
    start = len(data) - 16 * positions - 4
    if chance.random() < 0.3:
        return change_bytes(data, chance)
    return data[:start] + with_checksum(change_field(data[start:-4], chance, 8))
