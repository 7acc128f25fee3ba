"""With TEST_BROWSER=firefox the browser tests run in Debian's Firefox, on a display of its own."""

import os
import sys
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Playwright

IN_FIREFOX = os.environ.get("TEST_BROWSER") == "firefox"
PROGRAMS = ("firefox-esr", "Xvfb")
PREFERENCES = {"dom.events.testing.asyncClipboard": True}  # else whoever reads the clipboard has to be asked
RELAY = Path(__file__).with_name("firefox_relay.py")


def not_in_firefox(reason: str) -> pytest.MarkDecorator:
    """A test of what cannot be asked of Firefox, or not through Playwright."""
    return pytest.mark.skipif(IN_FIREFOX, reason=f"in Firefox: {reason}")


def launch_firefox(playwright: Playwright, profile: Path) -> BrowserContext:
    """A Firefox without a window, with a profile on disk."""
    program = profile.with_name(f"{profile.name}.sh")  # Playwright starts a file, without arguments before its own
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{RELAY}" "$@"\n')
    program.chmod(0o755)
    return playwright.firefox.launch_persistent_context(
        profile, channel="moz-firefox", executable_path=program, firefox_user_prefs=PREFERENCES
    )
