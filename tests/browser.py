"""A real browser without a window: Debian's Chromium, driven over its own protocol."""

import base64
import contextlib
import json
import os
import re
import tempfile
from pathlib import Path

from desktop import require
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

PHONE, DESKTOP = (360, 740), (1280, 900)


class Browser:
    """One tab; what it asked for and complained about is kept."""

    def __init__(self, driver: webdriver.Chrome):
        self.driver = driver

    def __getattr__(self, name: str):
        return getattr(self.driver, name)

    def open(self, path: Path, size=DESKTOP, *, dark=False, script=True):
        """Load a file from disk; `script` False is a browser with JavaScript switched off."""
        self.driver.get_log("performance"), self.driver.get_log("browser")
        command = self.driver.execute_cdp_cmd
        command("Emulation.setScriptExecutionDisabled", {"value": not script})
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        command("Emulation.setEmulatedMedia", {"features": [scheme]})
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        command("Emulation.setDeviceMetricsOverride", metrics)
        self.driver.get(path.absolute().as_uri())

    def requests(self) -> list[str]:
        """Addresses asked for since `open`, whether they were let through or not."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]

    def complaints(self) -> list[str]:
        """What the console said since `open`."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def screenshot(self, path: Path):
        """Photograph the whole page, however long, to a PNG file."""
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
        path.write_bytes(base64.b64decode(shot["data"]))

    def print_pdf(self, paper_inch=(8.27, 11.69)) -> tuple[bytes, int]:
        """Print as a person does, with the page's own margins; return the PDF and its number of pages."""
        paper = {"paperWidth": paper_inch[0], "paperHeight": paper_inch[1], "preferCSSPageSize": True}
        pdf = base64.b64decode(self.driver.execute_cdp_cmd("Page.printToPDF", paper)["data"])
        return pdf, len(re.findall(rb"/Type\s*/Page\b", pdf))


@contextlib.contextmanager
def chromium():
    """Run a headless Chromium with a profile of its own that starts nothing by itself."""
    options = webdriver.ChromeOptions()
    options.binary_location = require("chromium")
    with tempfile.TemporaryDirectory(prefix="posture-browser-", ignore_cleanup_errors=True) as profile:
        for flag in (
            "headless=new",
            "no-first-run",
            "disable-background-networking",
            "disable-component-update",
            "disable-gpu",
            "disable-dev-shm-usage",
            f"user-data-dir={profile}",
        ):
            options.add_argument(f"--{flag}")
        if os.getuid() == 0:
            options.add_argument("--no-sandbox")  # Chromium has none for root
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        service = Service(executable_path=require("chromedriver"))
        driver = webdriver.Chrome(options=options, service=service)
        try:
            driver.get("about:blank")  # the page for a new tab asks for much
            yield Browser(driver)
        finally:
            driver.quit()
