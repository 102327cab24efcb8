"""What a picture says of how it was made, in its own metadata; its pixels stay as they are.

PNG      an iTXt chunk with the keyword `storyhook` (JSON), and one with an XMP packet
JPEG     an APP1 segment with an XMP packet
WebP     an `XMP ` chunk; the file becomes an extended one (VP8X) if it is not
The XMP packet holds the same JSON as `storyhook:provenance`, and IPTC's word for AI pictures.
Metadata that is there already is kept: a picture that has an XMP packet gets no second one.
"""

import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

Json = Mapping[str, Any]

KEYWORD = "storyhook"
_PNG = b"\x89PNG\r\n\x1a\n"
_XMP_KEYWORD = "XML:com.adobe.xmp"
_XMP_HEADER = b"http://ns.adobe.com/xap/1.0/\0"
# A segment's length is two bytes, which count themselves.
_MAX_SEGMENT = 65_533
_AI = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
_HAS_ALPHA, _HAS_XMP = 0x10, 0x04


def embed(data: bytes, content_type: str, record: Json) -> bytes:
    """The picture with `record` in it. Raises ValueError where it is not whole."""
    match content_type:
        case "image/png":
            return _in_png(data, record)
        case "image/jpeg":
            return _in_jpeg(data, record)
        case "image/webp":
            return _in_webp(data, record)
    return data


def xmp(record: Json) -> bytes:
    """An XMP packet. https://iptc.org/std/photometadata/specification (DigitalSourceType)."""
    prompt = escape(str(record.get("prompt") or ""))
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF'
        ' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about=""'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        ' xmlns:storyhook="urn:storyhook:provenance:1"'
        f" xmp:CreatorTool={quoteattr(str(record.get('model') or 'Storyhook'))}"
        f' Iptc4xmpExt:DigitalSourceType="{_AI}">'
        f'<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{prompt}</rdf:li></rdf:Alt>'
        "</dc:description>"
        f"<storyhook:provenance>{escape(_text(record))}</storyhook:provenance>"
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    ).encode()


def text_chunk(keyword: str, text: bytes, *, packed: bool = False) -> bytes:
    """An iTXt chunk of a PNG (UTF-8); readers expect XMP not to be packed."""
    flag = b"\1\0" if packed else b"\0\0"
    body = keyword.encode("latin-1") + b"\0" + flag + b"\0\0"
    return _chunk(b"iTXt", body + (zlib.compress(text, 9) if packed else text))


def _text(record: Json) -> str:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def _chunk(kind: bytes, body: bytes) -> bytes:
    crc = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)


def _in_png(data: bytes, record: Json) -> bytes:
    """Behind the header, where readers find it before the pixels."""
    if data[:8] != _PNG or data[12:16] != b"IHDR":
        raise ValueError("not a PNG")
    behind = 8 + 12 + int.from_bytes(data[8:12])
    chunks = text_chunk(KEYWORD, _text(record).encode())
    if _XMP_KEYWORD.encode() not in data[: behind + 65_536]:
        chunks += text_chunk(_XMP_KEYWORD, xmp(record))
    return data[:behind] + chunks + data[behind:]


def _in_jpeg(data: bytes, record: Json) -> bytes:
    """Behind the JFIF and Exif segments that come first."""
    if data[:2] != b"\xff\xd8":
        raise ValueError("not a JPEG")
    at = 2
    for kind, start, end in _segments(data):
        if kind == 0xE1 and data[start:].startswith(_XMP_HEADER):
            return data
        if kind in (0xE0, 0xE1):
            at = end
    packet = _XMP_HEADER + xmp(record)
    if len(packet) > _MAX_SEGMENT:
        packet = _XMP_HEADER + xmp({**record, "prompt": None, "references": None})
    if len(packet) > _MAX_SEGMENT:
        return data
    segment = b"\xff\xe1" + struct.pack(">H", len(packet) + 2) + packet
    return data[:at] + segment + data[at:]


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(marker, start of its body, end) of the segments before the picture's own."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and 0xE0 <= data[at + 1] <= 0xFE:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        yield data[at + 1], at + 4, end
        at = end


def _in_webp(data: bytes, record: Json) -> bytes:
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise ValueError("not a WebP")
    body = data[12:]
    if body[:4] != b"VP8X":
        body = _extended(body)
    elif body[8] & _HAS_XMP:
        return data
    body = body[:8] + bytes([body[8] | _HAS_XMP]) + body[9:]
    packet = xmp(record)
    body += b"XMP " + struct.pack("<I", len(packet)) + packet + b"\0" * (len(packet) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def _extended(body: bytes) -> bytes:
    """A simple file's chunk behind the header of an extended one, which says size and alpha."""
    if body[:4] == b"VP8L":
        bits = int.from_bytes(body[9:13], "little")
        width, height = (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
        flags = _HAS_ALPHA if bits >> 28 & 1 else 0
    else:
        width, height = (int.from_bytes(body[n : n + 2], "little") & 0x3FFF for n in (14, 16))
        flags = 0
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"VP8X" + struct.pack("<I", 10) + bytes([flags, 0, 0, 0]) + size + body
