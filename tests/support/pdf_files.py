"""PDF files written by hand."""

import io
import zlib

from pypdf import PdfReader, PdfWriter


def pdf(*pages: str, locked: bool = False) -> bytes:
    """A PDF with one line of text on each page."""
    font, tree, first = 1, 2, 4
    kids = " ".join(f"{first + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        f"<< /Type /Catalog /Pages {tree} 0 R >>".encode(),
    ]
    for number, text in enumerate(pages):
        escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        objects += [
            (
                f"<< /Type /Page /Parent {tree} 0 R /MediaBox [0 0 612 792] /Contents {first + 2 * number + 1} 0 R "
                f"/Resources << /Font << /F1 {font} 0 R >> >> >>"
            ).encode(),
            stream(f"BT /F1 12 Tf 72 720 Td ({escaped}) Tj ET".encode("latin-1")),
        ]
    data = _file(objects, root=3)
    return _encrypted(data) if locked else data


def bomb(size: int) -> bytes:
    """A small PDF whose page unpacks to `size` bytes of text."""
    packed = zlib.compress(b"BT /F1 12 Tf " + b"(x) Tj " * (size // 7) + b"ET", 9)
    objects = [
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
        b"<< /Type /Catalog /Pages 2 0 R >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 5 0 R "
            b"/Resources << /Font << /F1 1 0 R >> >> >>"
        ),
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed),
    ]
    return _file(objects, root=3)


def stream(data: bytes) -> bytes:
    """A stream object."""
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(data), data)


def _file(objects: list[bytes], *, root: int) -> bytes:
    out = io.BytesIO(b"%PDF-1.4\n")
    out.seek(0, io.SEEK_END)
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, content))
    table = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    for offset in offsets:
        out.write(b"%010d 00000 n \n" % offset)
    out.write(b"trailer << /Size %d /Root %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, root, table))
    return out.getvalue()


def _encrypted(data: bytes) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    writer.encrypt("secret", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()
