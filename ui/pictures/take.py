"""Takes the small pictures of the home page from the running app: ``python ui/pictures/take.py http://localhost:8501``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

# the link of what is shown, how far it has come, and how wide the window is: the first view is taken, all of one shape
PICTURES = {
    "gradients": ("Gradients?show=slope&f=sin x&from=-5&to=5&x0=-5", 0.61, 1185),
    "linear_fit": (
        "Linear_Fit?data=noisy line&slope=2&intercept=5&noise=3&seed=0&model=intercept&learning_rate=0.01"
        "&iterations=100&theta0=-10&theta=5",
        0.02,
        1400,
    ),
    "2d_regression": (
        "2D_Regression?examples=100&noise=60&seed=0&start=0~0&iterations=200&batch=8&loss=log"
        "&racer=SGD~learning_rate~2e-05&racer=Adam~learning_rate~0.3",
        0.03,
        1400,
    ),
    "ackley_race": (
        "Ackley_Race?landscape=Ackley&view=usual&start=3.4~-2.3&steps=60&loss=linear&replay=none"
        "&racer=SGD~learning_rate~0.15&racer=Nesterov~learning_rate~0.05&racer=RMSProp~learning_rate~0.1"
        "&racer=Adam~learning_rate~0.5&racer=NAdam~learning_rate~0.5",
        0.5,
        1400,
    ),
}


def main(address: str) -> None:
    """Take every picture, light and dark, from the app at an address."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for theme in ("light", "dark"):
            page = browser.new_page(viewport={"width": 1400, "height": 1000}, color_scheme=theme)
            for name, (link, share, width) in PICTURES.items():
                page.set_viewport_size({"width": width, "height": 1000})
                page.goto(f"{address}/{link}")
                page.wait_for_selector(".stage[data-drawn]")
                page.evaluate(
                    "share => { const s = document.querySelector('.stage').stage; s.go(Math.round(share * s.last)); }",
                    share,
                )
                page.wait_for_timeout(800)
                page.locator(".view").first.screenshot(path=Path(__file__).parent / f"{name}-{theme}.png")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
