#!/usr/bin/env python3
"""Opens pages of `seq2seq explain --html` in headless Chromium and checks what they show.

    python3 tests/browser/test_explanation.py EXPLANATION.html...

Prints a line per test and exits 1 if one fails. What is needed is as for test_report.py.
"""

import pathlib
import re
import sys

from browser import Browser, Tests, equal, is_accessible

from selenium.webdriver.common.keys import Keys

STAGES = ["1encode", "3keys and values"]
STEP_STAGES = ["2query", "4score", "5weights", "6weighted sum", "7context", "8combine", "9repeat"]


def names_all_stages(browser):
    steps = len(browser.all("section.part")) - 1
    assert steps > 1, steps
    equal([each.get_attribute("textContent") for each in browser.all("h3")],
          STAGES + steps * STEP_STAGES, "the stages")
    for stage in browser.all("article.stage"):
        text = stage.get_attribute("textContent")
        assert not re.search("NaN|undefined|null", text), text
    places = browser.run("return [...document.querySelectorAll('.places code')]"
                         ".map((each) => each.textContent)")
    assert len(places) > 10 * steps / 2, places
    for place in places:
        assert re.fullmatch(r"[a-z_/0-9]+\.(cpp|h):\d+", place), place


def weights_add_up(browser):
    sums = browser.run("""
        const stages = [...document.querySelectorAll("section[id] article.stage")]
            .filter((each) => each.querySelector("h3").textContent === "5weights");
        return stages.map((stage) => [...stage.querySelectorAll("ul.cells li:not(.names)")]
            .reduce((sum, each) => sum + Number(each.querySelector("span").textContent), 0));""")
    equal(len(sums), len(browser.all("section.part")) - 1, "the number of steps")
    for total in sums:
        assert abs(total - 1) < 1e-3, sums


def goes_to_a_step(browser):
    links = browser.all("nav a")
    links[-1].send_keys(Keys.ENTER)
    browser.frame()
    assert browser.driver.current_url.endswith(f"#step-{len(links)}"), browser.driver.current_url
    top = browser.run("return document.querySelector(arguments[0]).getBoundingClientRect().top",
                      f"#step-{len(links)}")
    assert top < 900, top


def shows_all_numbers_on_request(browser):
    details = browser.one("details")
    assert not details.get_property("open")
    details.find_element("css selector", "summary").send_keys(Keys.ENTER)
    assert details.get_property("open")
    count = int(re.match(r"(\d+) numbers", details.text).group(1))
    numbers = re.findall(r"-?\d+\.\d+", browser.run("return arguments[0].textContent", details))
    assert len(numbers) >= count, (count, len(numbers))


def has_no_script(browser):
    equal(len(browser.all("script")), 0, "the number of scripts")


def fits_a_phone(path):
    browser = Browser(width=390, height=844)
    try:
        browser.open(path)
        width = browser.run("return document.documentElement.scrollWidth")
        assert width <= 390, f"it is {width} pixels wide"
    finally:
        browser.close()


def is_dark_where_the_system_is(path):
    browser = Browser(dark=True)
    try:
        browser.open(path)
        color = browser.run("return getComputedStyle(document.body).backgroundColor")
        red = int(re.match(r"rgba?\((\d+)", color).group(1))
        assert red < 60, color
        is_accessible(browser)
    finally:
        browser.close()


def main():
    tests = Tests()

    def on_page(browser, path, test):
        browser.open(path)
        browser.frame()
        test(browser)
        equal(browser.complaints(), [], "complaints")

    browser = Browser()
    try:
        for path in map(pathlib.Path, sys.argv[1:]):
            for test in (names_all_stages, weights_add_up, goes_to_a_step,
                         shows_all_numbers_on_request, has_no_script, is_accessible):
                tests.run(f"{path.stem}: {test.__name__.replace('_', ' ')}", on_page, browser, path,
                          test)
            for test in (fits_a_phone, is_dark_where_the_system_is):
                tests.run(f"{path.stem}: {test.__name__.replace('_', ' ')}", test, path)
    finally:
        browser.close()
    sys.exit(1 if tests.failures else 0)


if __name__ == "__main__":
    main()
