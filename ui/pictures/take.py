"""Takes the small pictures of the home page from the running app: ``python ui/pictures/take.py http://localhost:8501``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

# page, what is shown on it, and how far the race has come
PICTURES = {
    "gradients": ("Gradients?show=slope&f=sin x&from=-5&to=5&x0=-5", ".view >> nth=0", 0.61),
    "linear_fit": (
        "Linear_Fit?data=noisy line&slope=2&intercept=5&noise=3&seed=0&model=intercept&learning_rate=0.01"
        "&iterations=100&theta0=-10&theta=5",
        ".view >> nth=0",
        0.02,
    ),
    "ackley_race": (
        "Ackley_Race?landscape=Ackley&view=usual&start=3.4~-2.3&steps=60&loss=linear&replay=none"
        "&racer=SGD~learning_rate~0.15&racer=Nesterov~learning_rate~0.05&racer=RMSProp~learning_rate~0.1"
        "&racer=Adam~learning_rate~0.5&racer=NAdam~learning_rate~0.5",
        ".view >> nth=0",
        0.5,
    ),
}


def main(address: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for theme in ("light", "dark"):
            page = browser.new_page(viewport={"width": 1400, "height": 1000}, color_scheme=theme)
            for name, (link, part, share) in PICTURES.items():
                page.goto(f"{address}/{link}")
                page.wait_for_selector(".stage[data-drawn]")
                page.evaluate(
                    "share => { const s = document.querySelector('.stage').stage; s.go(Math.round(share * s.last)); }",
                    share,
                )
                page.wait_for_timeout(800)
                page.locator(part).screenshot(path=Path(__file__).parent / f"{name}-{theme}.png")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
