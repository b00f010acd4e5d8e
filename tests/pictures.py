"""The pictures of the README, made by the program itself: python tests/pictures.py

tests/tui/test_pictures.py makes them again and compares, so they cannot grow old.
"""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parent / "golden" / "pictures"
FILE = """\
project: Acme orders
path: {reverse-proxy: nginx, http2-to-browser: no, idle-timeout-s: 60}
features:
  - name: order status
    kind: notifications
    page: shop
    background-delivery: no
    clients: [browser]
    existing-stack: []
  - name: chat
    kind: chat
    page: shop
    media: no
    clients: [browser]
    bidirectional-realtime: yes
    client-msg-rate-per-s: 0.2
  - name: price board
    kind: dashboard
    media: no
    clients: [browser]
    page: /board
    tabs-per-user: 6
    server-msg-rate-per-s: 2
"""
SIZE = (110, 30)
PICTURES = {
    "question": (
        "A question; beside it the article's five steps, the patterns that are still possible, and the caveats",
        (),
    ),
    "features": ("All features side by side, with what they share and what conflicts", ("f",)),
    "why": ("The result: every step opens its rule with the evidence", ("r", "2", *["down"] * 6)),
    "costs": ("What each pattern costs", ("r", "6")),
}  # fmt: skip


def drawn(folder: Path) -> dict[str, str]:
    """Every picture's SVG, of a program that works in this empty folder."""
    from support.keystrokes import patient

    from advisor.answers.draft import open_draft
    from advisor.ruleset.cache import load
    from advisor.tui.app import AdvisorApp

    base, file = load(), folder / "orders.yaml"

    async def picture(keys: tuple[str, ...]) -> str:
        file.write_text(FILE, "utf-8")
        here = Path.cwd()
        os.chdir(folder)
        try:
            app = AdvisorApp(*open_draft(file.name, base))
            async with app.run_test(size=SIZE) as pilot:
                patient(pilot)
                await pilot.pause()
                await pilot.press(*keys)
                await pilot.pause()
                return plain(app.export_screenshot())
        finally:
            os.chdir(here)
            app.draft.recovery.release()

    return {name: asyncio.run(picture(keys)) for name, (_, keys) in PICTURES.items()}


def plain(svg: str) -> str:
    """Without fonts from elsewhere: any fixed-width font of the reader will do."""
    svg = re.sub(r"\s*<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    return svg.replace("Fira Code", "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono'")


if __name__ == "__main__":
    os.environ["TEXTUAL_ANIMATIONS"] = "none"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        os.environ["XDG_STATE_HOME"] = name
        for made, svg in drawn(Path(name)).items():
            (FOLDER / f"{made}.svg").write_text(svg, "utf-8")
            print(FOLDER / f"{made}.svg")
