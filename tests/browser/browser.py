"""Chromium with a page of a report open, for the tests of such pages.

Importing it without Chromium, chromedriver or selenium says so and exits 0; without
axe-core-python, is_accessible() checks nothing.
"""

import base64
import contextlib
import importlib.util
import json
import os
import pathlib
import shutil
import sys
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "script"))
from report_page import weights_of

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CHROMEDRIVER = shutil.which("chromedriver")
MISSING = [name for name, found in [("chromium", CHROMIUM), ("chromedriver", CHROMEDRIVER),
                                    ("selenium", importlib.util.find_spec("selenium"))]
           if not found]
if MISSING:
    print(f"Pages are not tested in a browser: {', '.join(MISSING)} missing.")
    sys.exit(0)

from selenium import webdriver
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait


def axe_script():
    package = importlib.util.find_spec("axe_core_python")
    return package and pathlib.Path(package.origin).with_name("axe.min.js").read_text()


AXE = axe_script()

# The colour and the middle of a cell of the heat map of a view, which has as many keys as it says.
CELL_COLOR = """
  const [view, query, key, keys] = arguments;
  const map = document.querySelectorAll(".heat-map")[view];
  const canvas = map.querySelector("canvas");
  const density = canvas.width / canvas.clientWidth;
  const left = parseFloat(map.querySelector(".column-name").style.left);
  const top = parseFloat(map.querySelector(".row-name").style.top);
  const cell = (parseFloat(map.querySelector(".space").style.width) - 1 - left) / keys;
  const x = Math.round((left + (key + 0.5) * cell) * density);
  const y = Math.round((top + (query + 0.5) * cell) * density);
  const pixel = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
  pixel.drawImage(canvas, -x, -y);
  const [red, green, blue] = pixel.getImageData(0, 0, 1, 1).data;
  return {color: `rgb(${red} ${green} ${blue})`, x: left + (key + 0.5) * cell,
          y: top + (query + 0.5) * cell};
"""


class Browser:
    """Chromium with one page open."""

    def __init__(self, width=1280, height=900, dark=False, still=True):
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for argument in ("--headless=new", "--disable-gpu", f"--window-size={width},{height}"):
            options.add_argument(argument)
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")
        if width < 500:
            options.add_experimental_option("mobileEmulation", {
                "deviceMetrics": {"width": width, "height": height, "pixelRatio": 2}})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options,
                                       service=webdriver.ChromeService(CHROMEDRIVER))
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if still else ""}]})

    def open(self, path, address=""):
        self.driver.get("about:blank")
        self.driver.get(pathlib.Path(path).resolve().as_uri() + address)
        text = self.run("return document.getElementById('data')?.textContent ?? ''")
        with contextlib.suppress(json.JSONDecodeError):
            self.data = json.loads(text)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0]).textContent", selector)

    def wait(self, condition, seconds=10):
        WebDriverWait(self.driver, seconds, poll_frequency=0.05).until(lambda _: condition())

    def press(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()
        self.frame()

    def frame(self):
        """Waits until the page has drawn what was changed."""
        self.driver.execute_async_script(
            "requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")

    def hover(self, element, x=None, y=None):
        """Moves the mouse over an element, (x, y) from its upper left corner or to its middle."""
        self.run("arguments[0].scrollIntoView({block: 'center'})", element)
        actions = ActionChains(self.driver)
        if x is None:
            actions.move_to_element(element)
        else:
            size = element.rect
            actions.move_to_element_with_offset(element, round(x - size["width"] / 2),
                                                round(y - size["height"] / 2))
        actions.perform()
        self.frame()

    def screenshot(self, width, height):
        """A PNG file of the upper left corner of the page, from where it is scrolled to."""
        clip = {"x": self.run("return scrollX"), "y": self.run("return scrollY"), "width": width,
                "height": height, "scale": 1}
        return base64.b64decode(self.driver.execute_cdp_cmd(
            "Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True})["data"])

    def complaints(self):
        """What the console said, and the requests that were made."""
        said = [entry["message"] for entry in self.driver.get_log("browser")]
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                url = message["params"]["request"]["url"]
                if not url.startswith(("file:", "data:", "about:")):
                    said.append(f"request for {url}")
        return said

    def close(self):
        self.driver.quit()


def equal(shown, expected, what):
    assert shown == expected, f"{what}: shown {shown!r}, expected {expected!r}"


def check_map(browser, view, step, example, attention, head):
    """Compares colours of cells with the recorded weights."""
    run = browser.data["runs"][view]
    rows = weights_of(run, step, example, attention, head)
    height, width = len(rows), len(rows[0])
    for query in {0, height // 2, height - 1}:
        for key in {0, width // 2, width - 1}:
            weight = rows[query][key]
            expected = browser.run("return palette().css[arguments[0]]", weight)
            shown = browser.run(CELL_COLOR, view, query, key, width)["color"]
            equal(shown, expected, f"the cell ({query}, {key}), which has the weight {weight}")


def is_accessible(browser):
    if AXE is None:
        print("  axe-core-python is missing: accessibility is not checked")
        return
    browser.run(AXE)
    for theme in ("light", "dark"):
        browser.run("document.documentElement.dataset.theme = arguments[0]", theme)
        time.sleep(0.1)
        found = browser.driver.execute_async_script(
            "const done = arguments[0]; axe.run().then((found) => done(found.violations))")
        words = [f"{each['id']} ({each['impact']}): {each['nodes'][0]['html'][:150]}"
                 for each in found if each["impact"] in ("serious", "critical")]
        assert not words, f"in the {theme}: " + "; ".join(words)


class Tests:
    """Runs tests, prints a line for each and counts those that fail."""

    def __init__(self):
        self.failures = 0

    def run(self, name, test, *arguments):
        try:
            test(*arguments)
            print(f"ok      {name}", flush=True)
        except Exception as error:
            self.failures += 1
            at = traceback.extract_tb(error.__traceback__)[-1].lineno
            words = (str(error) or type(error).__name__).splitlines()[0]
            print(f"FAILED  {name}: {words} (line {at})", flush=True)
