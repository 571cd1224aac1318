"""The icons of the page as one style sheet: `python -m tests.support.icon_sheet` writes it anew.

In one file they are all there with the first paint; each by itself would come in a moment later.
"""

import re
from pathlib import Path
from urllib.parse import quote

from adapters.web.page.documents import STATIC

_PLAIN = " =:/'"
_HEAD = """/* Lucide icons out of vendor/lucide, written by tests/support/icon_sheet.py. */
.icon {
  display: inline-block;
  flex: none;
  width: 20px;
  height: 20px;
  background: currentColor;
  mask: var(--icon) center / contain no-repeat;
}
.icon.small { width: 16px; height: 16px; }
@media (forced-colors: active) {
  .icon { forced-color-adjust: none; background: ButtonText; }
}
"""


def icon_sheet(folder: Path) -> str:
    """Every SVG file of the folder as a class, in the colour of the text around it."""
    return _HEAD + "".join(_rule(path) for path in sorted(folder.glob("*.svg")))


def _rule(path: Path) -> str:
    drawing = " ".join(re.sub(r"<!--.*?-->", "", path.read_text(), flags=re.DOTALL).split()).replace('"', "'")
    return f'.icon-{path.stem} {{ --icon: url("data:image/svg+xml,{quote(drawing, safe=_PLAIN)}"); }}\n'


if __name__ == "__main__":
    (STATIC / "css" / "icons.css").write_text(icon_sheet(STATIC / "vendor" / "lucide"))
