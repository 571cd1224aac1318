"""Pictures of the page for the README: `python -m tests.support.page_screenshots [FOLDER]`; needs Pillow."""

import asyncio
import io
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.async_api import Browser, Page, expect

from tests.support.chromium import chromium, watched_page
from tests.support.page_server import PageServer, page_server

FOLDER = Path(__file__).parents[2] / "benchmarks" / "results"
DESK: dict[str, Any] = {"viewport": {"width": 1200, "height": 780}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
BREAD = """Yes, and it needs hardly any work. For one small loaf:

| what | how much |
|---|---|
| flour | 400 g |
| water | 280 g |
| salt | 8 g |
| dry yeast | ½ teaspoon |

1. Stir everything together in the evening and cover it.
2. Next morning, fold the dough twice and let it rest for **an hour**.
3. Bake it at 240 °C in a closed pot for 30 minutes, then 15 minutes without the lid.
"""
CODE = """Multiply every amount by the same number:

```python
def scale(recipe: dict[str, float], loaves: float) -> dict[str, float]:
    # Salt and yeast grow with the flour.
    return {what: round(grams * loaves) for what, grams in recipe.items()}

print(scale({"flour": 400, "water": 280, "salt": 8}, loaves=2.5))
```
"""
OTHERS = ("Which tree is this?", "A birthday poem for Grandpa", "Long division, once more")


async def main(folder: Path) -> None:
    """Take them all."""
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        async with page_server(Path(home) / "page.db") as server, chromium() as browser:
            await _talk(browser, server)
            for scheme in ("light", "dark"):
                await _chat(browser, server, scheme, folder)


async def _talk(browser: Browser, server: PageServer) -> None:
    async with watched_page(browser, server.url, **DESK) as page:
        await _enter(page, server)
        for text in OTHERS:
            await _say(page, server, text, "Gladly.")
            await page.get_by_role("button", name="New conversation").first.click()
        await page.get_by_role("radio", name="Rosa").click()
        await expect(page.get_by_role("heading", name="Rosa")).to_be_visible()
        await _say(page, server, "Can I bake bread without kneading?", BREAD)
        await _say(page, server, "And how much is that for two and a half loaves?", CODE)


async def _chat(browser: Browser, server: PageServer, scheme: str, folder: Path) -> None:
    for name, size in (("desk", DESK), ("phone", PHONE)):
        async with watched_page(browser, server.url, color_scheme=scheme, **size) as page:
            await _enter(page, server)
            await _keep(page, folder / f"page-{name}-welcome-{scheme}.png")
            if name == "phone":
                await page.get_by_role("button", name="Conversations", exact=True).tap()
                await _keep(page, folder / f"page-{name}-list-{scheme}.png")
            await page.get_by_role("button", name="Can I bake bread without kneading?", exact=True).click()
            await expect(page.locator(".reply[aria-busy=false]")).to_have_count(2)
            await expect(page.locator(".hljs-keyword").first).to_be_attached()
            await _keep(page, folder / f"page-{name}-{scheme}.png")
            await page.goto("/admin")
            await expect(page.locator(".plot canvas").first).to_be_visible()
            await _keep(page, folder / f"page-{name}-admin-{scheme}.png")


async def _enter(page: Page, server: PageServer) -> None:
    link = await server.new_link()
    await page.goto(link)
    await expect(page.get_by_role("radiogroup")).to_be_visible()


async def _say(page: Page, server: PageServer, text: str, answer: str) -> None:
    known = await page.locator(".reply[aria-busy=false]").count()
    server.engine.enqueue(answer)
    await page.get_by_label("Message", exact=True).fill(text)
    await page.keyboard.press("Enter")
    await expect(page.locator(".reply[aria-busy=false]")).to_have_count(known + 1)


async def _keep(page: Page, path: Path) -> None:
    picture = Image.open(io.BytesIO(await page.screenshot(animations="disabled")))
    picture.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER))
