"""Debian's Firefox for Playwright, which speaks WebDriver BiDi to it and asks for one command that it does not have.

Playwright starts this file as if it were Firefox. It starts Firefox on a display of its own, without which there is no
WebGL, and hands every message on, but for the one that sets a page's theme: that is done in Firefox's own terms.
"""

import asyncio
import json
import os
import re
import subprocess
import sys

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

THEME = "emulation.setMediaFeaturesOverride"
SET_THEME = """(pages, theme) => {
    const { NavigableManager } = ChromeUtils.importESModule("chrome://remote/content/shared/NavigableManager.sys.mjs");
    for (const id of pages) NavigableManager.getBrowsingContextById(id).top.prefersColorSchemeOverride = theme;
}"""
DOWNLOAD = "browsingContext.download"  # what it says of one lacks the name by which Playwright keeps them apart
WHERE = 2**53 - 1  # the number of our own question, which Playwright does not come to


def say(number: int, method: str, parameters: dict) -> str:
    return json.dumps({"id": number, "method": method, "params": parameters})


async def relay(playwright: ServerConnection, address: str) -> None:
    """Hand on all messages between Playwright and Firefox, and do what sets the theme in another way."""
    async with connect(f"{address}/session", max_size=None, compression=None) as firefox:
        inside = asyncio.get_running_loop().create_future()  # where Firefox's own scripts run

        async def to_playwright() -> None:
            async for message in firefox:
                if f'"id":{WHERE}' in str(message):
                    inside.set_result(json.loads(message)["result"]["contexts"][0]["context"])
                    continue
                if f'"method":"{DOWNLOAD}' in str(message):
                    said = json.loads(message)
                    said["params"]["download"] = said["params"]["url"]
                    message = json.dumps(said)
                await playwright.send(message)
            await playwright.close()

        async def to_firefox() -> None:
            async for message in playwright:
                if THEME in str(message):
                    await set_theme(**json.loads(message))
                else:
                    await firefox.send(message)
            await firefox.close()

        async def set_theme(id: int, method: str, params: dict) -> None:
            pages = params.get("contexts")
            if not pages:  # for pages to come: each sets its own again
                await playwright.send(json.dumps({"type": "success", "id": id, "result": {}}))
                return
            if not inside.done():
                await firefox.send(say(WHERE, "browsingContext.getTree", {"moz:scope": "chrome", "maxDepth": 0}))
            theme = params["features"].get("prefers-color-scheme") or "none"
            given = [{"type": "array", "value": [{"type": "string", "value": page} for page in pages]}]
            call = {
                "functionDeclaration": SET_THEME,
                "arguments": [*given, {"type": "string", "value": theme}],
                "target": {"context": await inside},
                "awaitPromise": False,
            }
            await firefox.send(say(id, "script.callFunction", call))

        await asyncio.gather(to_playwright(), to_firefox())


async def firefox(display: str) -> int:
    """Run Firefox until it ends, and say where the relay is in the words in which Firefox says where it is itself."""
    process = await asyncio.create_subprocess_exec(
        "firefox-esr",
        "--remote-allow-system-access",
        *sys.argv[1:],
        env=os.environ | {"DISPLAY": display},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr
    async for line in process.stderr:
        if found := re.search(r"(.* listening on )(ws:\S+)", line.decode(errors="replace")):
            server = await serve(
                lambda playwright: relay(playwright, found[2]), "127.0.0.1", 0, max_size=None, compression=None
            )
            port = server.sockets[0].getsockname()[1]
            print(f"{found[1]}ws://127.0.0.1:{port}", file=sys.stderr, flush=True)
        else:
            print(line.decode(errors="replace"), end="", file=sys.stderr, flush=True)
    return await process.wait()


def main() -> int:
    reading, writing = os.pipe()
    # a number that is free is written to the pipe
    screen = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-nolisten", "tcp", "-screen", "0", "1920x1200x24"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as display:
            return asyncio.run(firefox(f":{display.readline().strip()}"))
    finally:
        screen.terminate()
        screen.wait()


if __name__ == "__main__":
    sys.exit(main())
