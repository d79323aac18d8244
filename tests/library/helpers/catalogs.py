"""A catalog of translations, as `manage.py compilemessages` makes one."""

import struct
from collections.abc import Mapping
from pathlib import Path

MAGIC = 0x950412DE
HEADER = struct.Struct("<7I")
PAIR = struct.Struct("<2I")


def write_catalog(folder: Path, language: str, said: Mapping[str, str]) -> None:
    """Write django.mo, in the format of GNU gettext, into a folder of LOCALE_PATHS."""
    texts = sorted({"": "Content-Type: text/plain; charset=UTF-8\n", **said}.items())
    encoded = [text.encode() for column in zip(*texts, strict=True) for text in column]
    tables = HEADER.size + PAIR.size * len(encoded)
    offsets, offset = b"", tables
    for text in encoded:
        offsets += PAIR.pack(len(text), offset)
        offset += len(text) + 1
    translated = HEADER.size + PAIR.size * len(texts)
    header = HEADER.pack(MAGIC, 0, len(texts), HEADER.size, translated, 0, tables)
    catalog = folder / language / "LC_MESSAGES" / "django.mo"
    catalog.parent.mkdir(parents=True)
    catalog.write_bytes(header + offsets + b"\0".join(encoded) + b"\0")
