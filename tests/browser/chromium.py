"""Debian's Chromium, driven by selenium, as both tests of pages use it.

SCREENSHOTS=DIR keeps pictures of every page at 400, 1000 and 2000 pixels, light and dark.
"""

import json
import os
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from selenium import webdriver

WIDTHS = (400, 1000, 2000)
SCHEMES = ("light", "dark")
# What texts of users are called here: as HTML it would ask something.
HOSTILE = "<img src=x onerror=alert(1)>"


def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    profile = tempfile.mkdtemp(prefix="chromium-")
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-sync",
                     "--disable-background-networking", "--disable-component-update", "--no-first-run",
                     "--window-size=1200,900", f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))


def scheme(driver, name):
    """Makes the system light or dark."""
    media = [{"name": "prefers-color-scheme", "value": name}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})


def width(driver, pixels, height=900):
    size = {"width": pixels, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def looks_right(driver, name, pixels, colours):
    """Asserts that the page fits its window, and keeps a picture."""
    wide = driver.execute_script("return document.documentElement.scrollWidth")
    assert wide <= pixels, f"{name}: {wide} pixels wide in a window of {pixels}"
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        height = driver.execute_script("return document.documentElement.scrollHeight")
        width(driver, pixels, min(height, 6000))
        time.sleep(0.5)
        driver.save_screenshot(f"{folder}/{name}-{pixels}-{colours}.png")
        width(driver, pixels)


def is_text(driver, text=HOSTILE):
    """Asserts that `text` stands on the page as it is, and is nothing else."""
    assert text in driver.execute_script("return document.body.innerText"), f"{text} is not on the page"
    markup = driver.execute_script("return document.querySelectorAll('img[src=x], main script, main iframe').length")
    assert markup == 0, f"{text} became HTML"


def nothing_wrong(driver, expected=()):
    """Asserts that there are no messages on the console but those `expected`, and that nothing was asked of another machine."""
    messages = [entry["message"] for entry in driver.get_log("browser")]
    messages = [message for message in messages if not any(word in message for word in expected)]
    assert not messages, messages
    sent = (json.loads(entry["message"])["message"] for entry in driver.get_log("performance"))
    asked = [event["params"]["request"]["url"] for event in sent if event["method"] == "Network.requestWillBeSent"]
    assert asked, "no requests were seen, not even for the page"
    # The browser's own pages, `chrome:`, are asked for too.
    at = [urlsplit(url) for url in asked]
    abroad = [url.geturl() for url in at if url.scheme in ("http", "https", "ws", "wss") and url.hostname != "127.0.0.1"]
    assert not abroad, abroad
