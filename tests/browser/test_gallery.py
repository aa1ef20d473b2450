#!/usr/bin/env python3
"""Opens the gallery, docs/gallery.html, in headless Chromium and checks what it shows.

    python3 tests/browser/test_gallery.py [GALLERY.html]

Prints a line per test and exits 1 if one fails. What is needed is as for test_report.py.
"""

import base64
import pathlib
import re
import sys
import tempfile

import make_samples
from browser import CELL_COLOR, Browser, Tests, check_map, equal, is_accessible
import gallery_page
import report_page

from selenium.webdriver.common.keys import Keys



def steps_of(runs):
    return sorted({step for run in runs for step in run["recorded_steps"]})


def recorded_at(run, step):
    """The index of the last recorded step that is not after `step`."""
    return max(at for at, each in enumerate(run["recorded_steps"]) if each <= step)


def last(run):
    """The index of the last recorded step."""
    return len(run["recorded_steps"]) - 1


def about(run):
    return dict(run["summary"])


def rows_of(run, at):
    return report_page.weights_of(run, at, 0, 0, 0)


def letters_aligned(run, at):
    """How many rows have their largest weight, the first one of equals, on the linked key."""
    truth = dict(run["examples"][0]["truth"])
    return sum(row.index(max(row)) == truth[query] for query, row in enumerate(rows_of(run, at)))


def is_current(path):
    data = report_page.read_data(path)
    assert gallery_page.make_page(data) == path.read_text(), \
        "it is not of the files in report/; script/gallery --page writes it anew"


def opens(browser):
    runs = browser.data["runs"]
    cards = browser.all(".card")
    equal(len(cards), len(runs), "the number of cards")
    for card, run in zip(cards, runs):
        shown = card.get_attribute("textContent")
        for words in (run["name"], about(run)["formula"], about(run)["source"]):
            assert words in shown, f"{words!r} is not on its card: {shown}"
    families = list(dict.fromkeys(about(run)["family"] for run in runs))
    equal([each.text for each in browser.all("h2")], families, "the sections")
    for run in runs:
        source, target = run["examples"][0]["source"], run["examples"][0]["target"]
        assert 8 <= len(source) == len(target) <= 10, (run["name"], source, target)
        equal(source, runs[0]["examples"][0]["source"], f"the source of {run['name']}")


def moves_all_maps(browser):
    runs = browser.data["runs"]
    steps = steps_of(runs)
    slider = browser.one(".track input")
    slider.send_keys(Keys.HOME)
    for step in steps:
        browser.frame()
        equal(browser.text(".step").replace(",", ""), f"step {step}", "the step")
        if step in (steps[0], steps[len(steps) // 2], steps[-1]):
            captions = browser.run("return [...document.querySelectorAll('.card .caption')]"
                                   ".map((each) => each.textContent)")
            for card, run in enumerate(runs):
                at = recorded_at(run, step)
                check_map(browser, card, at, 0, 0, 0)
                right = letters_aligned(run, at)
                words = f"{right} of {len(run['examples'][0]['target'])} aligned"
                assert captions[card].endswith(words), f"{run['name']}: {captions[card]}"
                if run["recorded_steps"][at] in run["series"]["accuracy"][0]:
                    assert "% right" in captions[card], captions[card]
        slider.send_keys(Keys.ARROW_RIGHT)
    browser.wait(lambda: f"step={steps[-1]}" in browser.driver.current_url)


def shows_what_was_learned(browser):
    runs = browser.data["runs"]
    for run in runs:
        before, after = letters_aligned(run, 0), letters_aligned(run, last(run))
        assert before < after, f"{run['name']}: aligned {before}, at the end {after}"


def hovers_a_cell(browser):
    card = len(browser.data["runs"]) - 1
    run = browser.data["runs"][card]
    rows = rows_of(run, last(run))
    query, key = 2, 5
    place = browser.run(CELL_COLOR, card, query, key, len(rows[0]))
    browser.hover(browser.all(".heat-map")[card], place["x"], place["y"])
    tip = browser.all(".tip")[card]
    assert tip.is_displayed()
    shown = tip.get_attribute("textContent")
    example = run["examples"][0]
    equal(shown, f"{rows[query][key] / 255:.2f}{example['target'][query]} \u2190 "
                 f"{example['source'][key]}target {query + 1}, source {key + 1}", "the tip")
    browser.hover(browser.one("h1"))
    assert not tip.is_displayed()


def works_by_keyboard(browser):
    runs = browser.data["runs"]
    steps = steps_of(runs)
    browser.press(Keys.ARROW_LEFT)
    equal(browser.text(".step").replace(",", ""), f"step {steps[-2]}", "one step back")
    browser.press(Keys.ARROW_RIGHT)
    browser.press(Keys.SPACE)
    assert "Pause" in browser.one(".play").get_attribute("aria-label")
    browser.press(Keys.SPACE)
    assert "Play" in browser.one(".play").get_attribute("aria-label")
    visited = []
    for _ in range(4 + len(runs)):
        browser.press(Keys.TAB)
        visited.append(browser.run("""
            const element = document.activeElement;
            const style = getComputedStyle(element);
            const ring = style.outlineStyle !== "none" && style.outlineWidth !== "0px";
            return `${element.className || element.type} ${ring ? "ring" : "none"}`;"""))
        if visited[-1].startswith("heat-map") and "heat-map ring" not in visited[:-1]:
            browser.press(Keys.ARROW_DOWN, Keys.ARROW_RIGHT)
            assert browser.one(".tip").is_displayed()
            assert "looks at" in browser.text("[aria-live]")
            browser.press(Keys.ESCAPE)
            assert not browser.one(".tip").is_displayed()
    equal(visited, ["button ring", "play ring", "range ring", "search ring"] +
          ["heat-map ring"] * len(runs), "what Tab reaches")


def finds_mechanisms(browser):
    runs = browser.data["runs"]

    def shown():
        return [each.find_element("css selector", "h3").text for each in browser.all(".card")
                if each.is_displayed()]

    search = browser.one(".search input")
    search.send_keys("LUONG 2015")
    expected = [run["name"] for run in runs if "Luong et al. 2015" in about(run)["source"]]
    equal(shown(), expected, "those of Luong et al. 2015")
    assert 0 < len(expected) < len(runs)
    browser.wait(lambda: "find=LUONG" in browser.driver.current_url)
    card = [run["name"] for run in runs].index(expected[-1])
    check_map(browser, card, last(runs[card]), 0, 0, 0)
    search.clear()
    search.send_keys("nothing has this name")
    equal(shown(), [], "with words that no card has")
    assert browser.one("main > .message").is_displayed()
    equal([each.text for each in browser.all("h2") if each.is_displayed()], [], "the sections")
    for _ in range(21):
        search.send_keys(Keys.BACKSPACE)
    equal(len(shown()), len(runs), "the number of cards")
    assert not browser.one("main > .message").is_displayed()


def keeps_the_address(browser):
    run = browser.data["runs"][0]
    path = browser.driver.current_url.split("#")[0]
    browser.driver.get("about:blank")
    browser.driver.get(f"{path}#find={run['name']}&step=1&theme=dark")
    browser.frame()
    equal(browser.text(".step"), "step 1", "the step")
    equal(browser.one(".search input").get_attribute("value"), run["name"], "the words")
    equal(browser.run("return document.documentElement.dataset.theme"), "dark", "the theme")
    check_map(browser, 0, 0, 0, 0, 0)


def turns_dark(browser):
    browser.one("header > button").click()
    browser.frame()
    equal(browser.run("return document.documentElement.dataset.theme"), "dark", "the theme")
    for card, run in enumerate(browser.data["runs"]):
        check_map(browser, card, last(run), 0, 0, 0)


def keeps_the_slider_in_view(browser):
    browser.run("scrollTo(0, document.body.scrollHeight)")
    browser.frame()
    top = browser.run("return document.querySelector('.timeline').getBoundingClientRect().top")
    assert 0 <= top < 30, top


def prints(browser):
    browser.one("header > button").click()  # dark, which paper is not
    pdf = base64.b64decode(browser.driver.execute_cdp_cmd("Page.printToPDF", {})["data"])
    assert pdf.startswith(b"%PDF") and len(pdf) > 10000, len(pdf)
    equal(browser.run("return document.documentElement.dataset.theme"), "dark", "the theme")


ALL = [opens, moves_all_maps, shows_what_was_learned, hovers_a_cell, works_by_keyboard,
       finds_mechanisms, keeps_the_address, turns_dark, keeps_the_slider_in_view, is_accessible,
       prints]


def shows_hostile_tokens(browser, folder):
    run = make_samples.hostile_run()
    names = ["family", "about family", "formula", "source"]
    run["summary"] = [[name, f"<img src=x onerror='window.hacked=1'>\u202e{name}"]
                      for name in names]
    nothing = {"name": "<i>nothing</i>", "summary": 7, "weights": "AAAA"}
    path = folder / "hostile.html"
    path.write_text(gallery_page.make_page({"version": 1, "runs": [run, nothing, None]}))
    browser.open(path)
    assert browser.run("return window.hacked") is None
    equal(len(browser.all("img, i, b")), 0, "elements that data made")
    text = browser.run("return document.body.innerText")
    assert "<b>run</b>\\u202E\u2409" in text and "'>\\u202Eformula" in text, text
    assert "Nothing was recorded." in text and not re.search("NaN|undefined|null", text), text
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
    for data, words in (('{"version": 1', "The data of this report is damaged:"),
                        ({"version": 1, "runs": []}, "This report contains no run.")):
        path.write_text(gallery_page.make_page(data))
        browser.open(path)
        assert words in browser.run("return document.body.innerText")
    equal(browser.complaints(), [], "complaints")


def plays_once(path):
    browser = Browser(still=False)
    try:
        browser.open(path)
        colors = set()

        def has_ended():
            colors.add(browser.run(CELL_COLOR, 0, 4, 4, len(rows_of(browser.data["runs"][0], 0)[0])
                                   )["color"])
            return "Play" in browser.one(".play").get_attribute("aria-label")

        browser.wait(has_ended, 30)
        steps = steps_of(browser.data["runs"])
        assert len(colors) > len(steps) // 3, f"the first map had {len(colors)} colours"
        equal(browser.text(".step").replace(",", ""), f"step {steps[-1]}", "the last step")
        equal(browser.complaints(), [], "complaints")
    finally:
        browser.close()


def fits_a_phone(path):
    browser = Browser(width=390, height=844)
    try:
        browser.open(path)
        width = browser.run("return document.documentElement.scrollWidth")
        assert width <= 390, f"it is {width} pixels wide"
        first, second = (each.rect for each in browser.all(".card")[:2])
        assert first["y"] == second["y"], "two cards are not side by side"
        labels = browser.run("return document.querySelector('.row-labels').children.length")
        equal(labels, len(browser.data["runs"][0]["examples"][0]["target"]), "the labels")
        is_accessible(browser)
    finally:
        browser.close()


def is_small(path):
    size = path.stat().st_size
    print(f"  the gallery has {size / 1000:.0f} kB")
    assert size < 500e3, size


def main():
    path = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else gallery_page.PAGE
    tests = Tests()

    def on_gallery(browser, test):
        browser.open(path)
        browser.frame()
        test(browser)
        equal(browser.complaints(), [], "complaints")

    for test in (is_current, is_small):
        tests.run(f"gallery: {test.__name__.replace('_', ' ')}", test, path)
    browser = Browser()
    try:
        for test in ALL:
            tests.run(f"gallery: {test.__name__.replace('_', ' ')}", on_gallery, browser, test)
        with tempfile.TemporaryDirectory() as folder:
            tests.run("gallery: shows hostile tokens", shows_hostile_tokens, browser,
                      pathlib.Path(folder))
    finally:
        browser.close()
    for test in (plays_once, fits_a_phone):
        tests.run(f"gallery: {test.__name__.replace('_', ' ')}", test, path)
    sys.exit(1 if tests.failures else 0)


if __name__ == "__main__":
    main()
