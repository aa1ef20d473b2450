#!/usr/bin/env python3
"""Opens reports of trainings in headless Chromium and checks what they show.

    python3 tests/browser/test_report.py [REPORT.html ...]

Each report named, and samples that make_samples.py makes, is used as a reader would: by mouse, by
keyboard, in the dark, on a phone, printed. Prints a line per test and exits 1 if one fails. Without
Chromium, chromedriver or selenium it says so and exits 0; without axe-core-python it leaves out
the accessibility check.
"""

import base64
import pathlib
import re
import sys
import tempfile
import time

import make_samples
from browser import CELL_COLOR, Browser, Tests, check_map, equal, is_accessible
from report_page import alignment_of, weights_of

from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

# Tests that any report passes.

def opens(browser):
    run = browser.data["runs"][0]
    assert run["name"] in browser.driver.title, browser.driver.title
    for each in browser.data["runs"]:
        for name, value in each["config"]:
            row = browser.run("""
                return [...document.querySelectorAll(".configuration tr")].some((row) =>
                    [...row.children].map((cell) => cell.textContent).includes(arguments[0]) &&
                    row.textContent.includes(arguments[1]))""", name, value)
            assert row, f"the option {name} is not shown as {value}"
        if each["command"]:
            assert each["command"] in browser.text(".configuration")


def steps_by_slider(browser):
    runs = browser.data["runs"]
    steps = sorted({step for run in runs for step in run["recorded_steps"]})
    slider = browser.one(".track input")
    slider.send_keys(Keys.HOME)
    for i, step in enumerate(steps):
        browser.frame()
        equal(browser.text(".step").replace(",", ""), f"step {step}", "the step")
        for view, run in enumerate(runs):
            recorded = [at for at, each in enumerate(run["recorded_steps"]) if each <= step]
            check_map(browser, view, recorded[-1] if recorded else 0, 0, alignment_of(run), 0)
        slider.send_keys(Keys.ARROW_RIGHT)
        if i == 0:
            said = browser.text("[aria-live]")
            assert said.startswith("Step "), said
    browser.wait(lambda: f"step={steps[-1]}" in browser.driver.current_url)
    track = browser.one(".track input")
    browser.hover(track, 10, 10)
    ActionChains(browser.driver).click().perform()
    equal(browser.text(".step").replace(",", ""), f"step {steps[0]}", "the step clicked at")
    slider.send_keys(Keys.END)


def hovers_a_cell(browser):
    run = browser.data["runs"][0]
    rows = weights_of(run, -1 + len(run["recorded_steps"]), 0, alignment_of(run), 0)
    example = run["examples"][0]
    query, key = len(rows) // 2, len(rows[0]) // 2
    place = browser.run(CELL_COLOR, 0, query, key, len(rows[0]))
    browser.hover(browser.one(".heat-map"), place["x"], place["y"])
    equal(browser.text(".tip strong"), f"{rows[query][key] / 255:.2f}", "the weight")
    label = "return arguments[0].map(tokenLabel)"
    tokens = browser.run(label, [example["target"][query], example["source"][key]])
    equal([each.get_attribute("textContent") for each in browser.all(".tip bdi")], tokens,
          "the tokens of the weight")
    active = browser.run("""return [".row-labels", ".column-labels"].map((side) =>
        document.querySelector(`.run-view ${side} .active`).textContent)""")
    equal(active, tokens, "the highlighted labels")
    selected = browser.run("""return [...document.querySelector(".run-view")
        .querySelectorAll(".line [aria-selected=true]")].map((each) => each.textContent)""")
    equal(sorted(selected), sorted(tokens), "the highlighted words")
    browser.hover(browser.one("h1"))
    assert not browser.one(".tip").is_displayed()


def hovers_a_token(browser):
    run = browser.data["runs"][0]
    rows = weights_of(run, -1 + len(run["recorded_steps"]), 0, alignment_of(run), 0)
    keys, queries = browser.all(".run-view:first-child .line")
    for query in (0, len(rows) - 1):
        browser.hover(queries.find_elements(By.CSS_SELECTOR, "bdi")[query])
        shades = browser.run("""return [...arguments[0].children].map((each) =>
            each.style.background.replaceAll(",", ""))""", keys)
        equal(shades, browser.run("return arguments[0].map((each) => palette().css[each])",
                                  list(rows[query])), "the shades of the source")
        active = browser.run("return [...document.querySelectorAll('.run-view:first-child "
                             ".row-labels .active')].map((each) => each.dataset.token)")
        equal(active, [str(query)], "the highlighted row")


def changes_layer_and_head(browser):
    for view, run in enumerate(browser.data["runs"]):
        element = browser.all(".run-view")[view]
        last = len(run["recorded_steps"]) - 1
        menus = element.find_elements(By.CSS_SELECTOR, ".menus select")
        for attention, each in enumerate(run["attentions"]):
            for head in sorted({0, each["heads"] - 1}):
                if len(run["attentions"]) > 1:
                    Select(menus[0]).select_by_value(str(attention))
                if each["heads"] > 1:
                    Select(menus[1]).select_by_value(str(head))
                browser.frame()
                if (each["queries"], each["keys"]) == ("target", "source"):
                    check_map(browser, view, last, 0, attention, head)
        heads = [(attention, head) for attention, each in enumerate(run["attentions"])
                 for head in range(each["heads"])]
        buttons = element.find_elements(By.CSS_SELECTOR, ".heads button")
        equal(len(buttons), len(heads), "the number of small heat maps")
        if len(heads) > 1:
            buttons[-1].click()
            browser.frame()
            equal(buttons[-1].get_attribute("aria-pressed"), "true", "the last head")
            check_map(browser, view, last, 0, *heads[-1])


def changes_the_example(browser):
    run = browser.data["runs"][0]
    last = len(run["examples"]) - 1
    Select(browser.one(".example select")).select_by_value(str(last))
    browser.frame()
    words = browser.run("""return [...document.querySelector(".run-view .line").children]
        .map((each) => each.textContent)""")
    source = run["examples"][last]["source"]
    equal(words, browser.run("return arguments[0].map(tokenLabel)", source), "the source")


def shows_measures(browser):
    charts = browser.all(".chart svg")
    names = {name.removeprefix("valid_") for run in browser.data["runs"]
             for name in run.get("series", {})}
    equal(len(charts), len(names), "the number of charts")
    for chart in charts[:2]:
        browser.hover(chart, 50, 60)
        first = browser.text(".at-step")
        browser.hover(chart, chart.rect["width"] - 20, 60)
        assert browser.text(".at-step") != first, "the crosshair does not move"
        assert not re.search("NaN|Infinity|undefined", chart.get_attribute("outerHTML"))
    for menu in browser.all(".training .menus select"):
        Select(menu).select_by_value("log")
    browser.run("""const smoothing = document.querySelector(".training input");
        smoothing.value = 0.9; smoothing.dispatchEvent(new Event("input"));""")
    for chart in charts:
        html = chart.get_attribute("outerHTML")
        assert not re.search("NaN|Infinity|undefined", html), html


def turns_dark(browser):
    run = browser.data["runs"][0]
    before = browser.run("return getComputedStyle(document.body).backgroundColor")
    browser.one("header > button").click()
    browser.frame()
    equal(browser.run("return document.documentElement.dataset.theme"), "dark", "the theme")
    after = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert before != after, after
    check_map(browser, 0, len(run["recorded_steps"]) - 1, 0, alignment_of(run), 0)


def works_by_keyboard(browser):
    steps = sorted({step for run in browser.data["runs"] for step in run["recorded_steps"]})
    visited = []
    is_map_tried = False
    for _ in range(200):
        browser.press(Keys.TAB)
        name = browser.run("""
            const element = document.activeElement;
            if (element === document.body) return "";
            const style = getComputedStyle(element);
            const ring = style.outlineStyle !== "none" && style.outlineWidth !== "0px";
            return `${element.className || element.tagName} ${ring ? "ring" : "none"}`;""")
        if not name:
            break
        assert not name.endswith(" none"), f"no focus ring: {name}"
        visited.append(name)
        if name.startswith("heat-map") and not is_map_tried:
            is_map_tried = True
            browser.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_RIGHT)
            assert browser.one(".tip").is_displayed()
            assert re.search(r"source 2", browser.text(".tip small")), browser.text(".tip small")
            assert "looks at" in browser.text("[aria-live]")
            browser.press(Keys.ESCAPE)
            assert not browser.one(".tip").is_displayed()
    for part in ("play", "heat-map", "line", "SUMMARY", "SELECT", "INPUT"):
        assert any(part in each for each in visited), f"{part} cannot be reached: {visited}"
    browser.run("document.activeElement.blur()")
    browser.press(Keys.ARROW_LEFT)
    equal(browser.text(".step").replace(",", ""), f"step {steps[-2]}", "one step back")
    browser.press(Keys.ARROW_RIGHT)
    browser.press(Keys.SPACE)
    assert "Pause" in browser.one(".play").get_attribute("aria-label")
    browser.press(Keys.SPACE)
    assert "Play" in browser.one(".play").get_attribute("aria-label")


def has_a_table(browser):
    run = browser.data["runs"][0]
    browser.one(".as-text summary").click()
    browser.wait(lambda: browser.all(".as-text tbody tr"))
    rows = weights_of(run, len(run["recorded_steps"]) - 1, 0, alignment_of(run), 0)
    shown = browser.all(".run-view:first-child .as-text tbody tr")
    equal(len(shown), len(rows), "the rows of the table")
    weight = shown[0].find_elements(By.CSS_SELECTOR, "td")[1].text
    equal(weight, f"{max(rows[0]) / 255:.2f}", "the largest weight of the first token")


def keeps_the_address(browser):
    run = browser.data["runs"][0]
    example = len(run["examples"])
    step = run["recorded_steps"][0]
    path = browser.driver.current_url.split("#")[0]
    browser.driver.get("about:blank")
    browser.driver.get(f"{path}#example={example}&attention=1&head=1&step={step}&theme=dark")
    browser.frame()
    equal(browser.text(".step").replace(",", ""), f"step {step}", "the step")
    equal(browser.one(".example select").get_attribute("value"), str(example - 1), "the example")
    equal(browser.run("return document.documentElement.dataset.theme"), "dark", "the theme")


def prints(browser):
    browser.one("header > button").click()  # dark, which paper is not
    pdf = base64.b64decode(browser.driver.execute_cdp_cmd("Page.printToPDF", {})["data"])
    assert pdf.startswith(b"%PDF") and len(pdf) > 10000, len(pdf)
    equal(browser.run("return document.documentElement.dataset.theme"), "dark", "the theme")
    assert not browser.run("return document.documentElement.classList.contains('prints')")


EVERY_REPORT = [opens, steps_by_slider, hovers_a_cell, hovers_a_token, changes_layer_and_head,
                changes_the_example, shows_measures, turns_dark, works_by_keyboard, has_a_table,
                keeps_the_address, is_accessible, prints]


# Tests of samples.

def shows_hostile_tokens(browser, folder):
    browser.open(folder / "hostile.html")
    assert browser.run("return window.hacked") is None
    equal(browser.run("return document.scripts.length"), 2, "the number of scripts")
    equal(len(browser.all("img, i, b")), 0, "elements that data made")
    text = browser.run("return document.body.innerText")
    hidden = "[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\ufeff]"
    found = re.search(hidden, text.replace("\t", ""))  # innerText separates cells by tabs
    assert not found, f"a hidden character is shown as it is: {found!r}"
    words = browser.run("return [...document.querySelector('.line').children].map((each) => "
                        "[each.tagName, each.textContent, each.title])")
    for expected in ("tab\u2409here", "\u2409", "\u2423", "\u2205", "👩‍👩‍👧‍👦", "\u25cc\u0301",
                     "שלום", "\\u202Eevil\\u202C", "\u2400\u2407\u241b[31m", "\\u200B",
                     "<script>window.hacked=1</script>", "&lt;", "می‌خواهم"):
        assert ["BDI", expected] in [each[:2] for each in words], f"{expected} is not shown"
    long = next(each for each in browser.all(".line bdi") if each.text.startswith("xxx"))
    equal(len(long.get_attribute("title")), 1000, "the length of the title of the long token")
    assert long.rect["width"] < 300, long.rect
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
    Select(browser.one(".example select")).select_by_value("1")
    equal(browser.one(".line").get_attribute("dir"), "rtl", "the direction of Hebrew")
    assert "No true alignment is known" in browser.text(".caption")


WORDS = {
    "no_examples": "This run recorded no examples.",
    "no_weights": "This run recorded no attention weights.",
    "no_series": "This run has logged no measures.",
    "empty": "No configuration was recorded.",
    "no_tokens": "This example has no tokens on one side",
    "damaged_weights": "The attention weights are damaged and left out: expected",
    "damaged_parts": "The values of “loss” are damaged and left out.",
    "damaged_run": "The data of this run is damaged.",
    "damaged_json": "The data of this report is damaged:",
    "damaged_test": "The sentences of the test are damaged and left out.",
    "no_runs": "This report contains no run.",
    "future": "a version that this page cannot read",
}


def says_what_is_missing(browser, folder):
    for name, words in WORDS.items():
        browser.open(folder / f"{name}.html")
        text = browser.run("return document.body.innerText")
        assert words in text, f"{name}: {text[:300]}"
        assert not re.search("NaN|undefined|null|Infinity", text), f"{name}: {text}"
        browser.press(Keys.SPACE, Keys.ARROW_LEFT)
        is_accessible(browser)
        equal(browser.complaints(), [], name)


def compares_runs(browser, folder):
    browser.open(folder / "vocabularies.html")
    equal(len(browser.all(".run-view .heat-map")), 2, "the number of heat maps")
    first, second = (each.rect for each in browser.all(".heat-map"))
    assert first["x"] + first["width"] < second["x"], "the heat maps are not side by side"
    rows = browser.run("""return [...document.querySelector(".configuration table").rows]
        .map((row) => [...row.cells].map((cell) => cell.textContent))""")
    equal(rows, [["Option", "A", "B"], ["task", "reverse", "pairs"], ["embedding", "32", "64"],
                 ["cell", "gru", "lstm"], ["attention", "additive", "general"],
                 ["beam", "\u2013", "4"]], "what differs")
    assert "Recorded at step 700." in browser.all(".caption")[1].text
    assert "le chat noir dort sur le sofa" in browser.text(".beam-search")
    legend = [each.text for each in browser.all(".chart:first-child .legend li")]
    equal([each.rsplit(" ", 1)[0] for each in legend],
          ["A training", "A validation", "B training", "B validation"], "the lines")
    Select(browser.one(".example select")).select_by_value("2")
    assert "This run recorded no example 3." in browser.all(".run-view")[1].text


def shows_quantities(browser, folder):
    browser.open(folder / "quantities.html")
    assert "The line shows the positions." in browser.text(".caption")
    Select(browser.one(".menus label:nth-child(3) select")).select_by_visible_text("coverage")
    place = browser.run(CELL_COLOR, 0, 9, 8, 9)
    browser.hover(browser.one(".heat-map"), place["x"], place["y"])
    equal(browser.text(".tip strong"), "1.50", "the coverage")


def shows_tested_sentences(browser, folder):
    browser.open(folder / "tested.html")

    def rows():
        return [[cell.text for cell in row.find_elements(By.CSS_SELECTOR, "td")]
                for row in browser.all(".tested tbody tr:not(.detail)")]

    equal(rows()[0], ["1", "the cat sleeps", "le chat dort", "le chat dort", "100", "0"], "row 1")
    equal(rows()[1][2], "le vieux sofa\u2026", "an output without an end")
    equal(rows()[2][1], "<b>a bird</b> sings", "a source with a tag")
    equal(len(rows()), 50, "the rows at first")
    assert "203 sentences of test.tsv" in browser.text(".tested .title")
    browser.one(".tested > div:last-child > button").click()
    equal(len(rows()), 200, "the rows after more")

    heads = browser.all(".tested thead button")
    heads[-1].click()
    heads[-1].click()
    equal([row[0] for row in rows()[:2]], ["203", "202"], "the rows by chrF, the largest first")
    equal(browser.all(".tested thead th")[-1].get_attribute("aria-sort"), "descending", "the order")
    heads[1].click()
    equal(rows()[0][1], "<b>a bird</b> sings", "the first source of the alphabet")

    browser.one(".tested input").send_keys("VIEUX")
    equal([row[0] for row in rows()], ["2"], "the rows found")
    equal(browser.text(".found"), "1 of 203", "how many are found")
    assert not browser.all(".tested .heat-map"), "the alignment of a row that is not shown"
    browser.one(".tested tbody button").click()
    equal(browser.all(".tested [aria-pressed=true]")[0].text, "2", "the chosen row")
    equal([each.text for each in browser.all(".references li")], ["le vieux sofa", "reference 1"],
          "the references")
    browser.hover(browser.all(".tested .line")[1].find_elements(By.CSS_SELECTOR, "bdi")[1])
    shades = browser.run("""return [...document.querySelectorAll(".tested .line")[0].children]
        .map((each) => each.style.background.replaceAll(",", ""))""")
    equal(shades, browser.run("return [0, 200, 0].map((each) => palette().css[each])"),
          "the shades of the source")
    is_accessible(browser)


def stays_fluid(browser, folder):
    browser.open(folder / "long.html")
    for _ in range(10):
        zoom = browser.all(".zoom button")[1]
        if zoom.is_enabled():
            zoom.click()
    size = browser.run("""const map = document.querySelector(".heat-map");
        return [map.scrollWidth, map.querySelector("canvas").width,
                map.querySelectorAll("bdi").length];""")
    assert size[0] > 20000 and size[1] < 1300 and size[2] < 200, size
    # The time of drawing is checked: that of frames depends on what else the machine does.
    frames, draws = browser.driver.execute_async_script("""
        const done = arguments[0];
        const map = document.querySelector(".heat-map");
        const [frames, draws] = [[], []];
        const {draw} = HeatMap.prototype;
        HeatMap.prototype.draw = function() {
          const begin = performance.now();
          draw.call(this);
          draws.push(performance.now() - begin);
        };
        let before = performance.now();
        const scroll = () => {
          const now = performance.now();
          frames.push(now - before);
          before = now;
          map.scrollLeft += 180;
          map.scrollTop += 180;
          if (frames.length < 100) requestAnimationFrame(scroll);
          else done([frames, draws].map((times) => times.sort((a, b) => a - b)));
        };
        requestAnimationFrame(scroll);""")
    print(f"  2,000 x 2,000 weights, scrolled: a frame takes {frames[50]:.0f} ms (median), "
          f"{frames[95]:.0f} ms (95%), of which drawing takes {draws[len(draws) // 2]:.1f} ms")
    assert len(draws) > 50 and draws[len(draws) // 2] < 16, draws
    begin = time.monotonic()
    browser.one(".track input").send_keys(Keys.ARROW_LEFT)
    browser.frame()
    seconds = time.monotonic() - begin
    print(f"  2,000 x 2,000 weights, another step: {1000 * seconds:.0f} ms")
    assert seconds < 2, seconds


def is_small(browser, folder):
    size = (folder / "recurrent.html").stat().st_size
    print(f"  the report of a recurrent run has {size / 1000:.0f} kB")
    assert size < 1e6


def plays_once(folder):
    browser = Browser(still=False)
    try:
        browser.open(folder / "recurrent.html")
        equal("Pause" in browser.one(".play").get_attribute("aria-label"), True, "it plays")
        seen = {browser.text(".step")}

        def has_ended():
            seen.add(browser.text(".step"))
            return "Play" in browser.one(".play").get_attribute("aria-label")

        browser.wait(has_ended, 20)
        assert len(seen) > 5, seen
        equal(browser.text(".step"), "step 1,000", "the last step")
        equal(browser.complaints(), [], "complaints")
    finally:
        browser.close()


def fits_a_phone(folder):
    browser = Browser(width=390, height=844)
    try:
        for name in ("recurrent", "transformer", "compare", "hostile", "long", "translate",
                     "tested"):
            browser.open(folder / f"{name}.html")
            width = browser.run("return document.documentElement.scrollWidth")
            assert width <= 390, f"{name} is {width} pixels wide"
    finally:
        browser.close()


def main():
    tests = Tests()

    def on_report(browser, path, test):
        browser.open(path)
        browser.frame()
        test(browser)
        equal(browser.complaints(), [], "complaints")

    def on_sample(browser, folder, test):
        test(browser, folder)
        equal(browser.complaints(), [], "complaints")

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        make_samples.write_samples(folder)
        browser = Browser()
        try:
            paths = [pathlib.Path(path) for path in sys.argv[1:]]
            paths += [folder / f"{sample}.html" for sample in ("recurrent", "transformer",
                                                                "compare", "translate")]
            for path in paths:
                for test in EVERY_REPORT:
                    tests.run(f"{path.stem}: {test.__name__.replace('_', ' ')}", on_report,
                              browser, path, test)
            for test in (shows_hostile_tokens, says_what_is_missing, compares_runs,
                         shows_quantities, shows_tested_sentences, stays_fluid, is_small):
                tests.run(test.__name__.replace("_", " "), on_sample, browser, folder, test)
        finally:
            browser.close()
        for test in (plays_once, fits_a_phone):
            tests.run(test.__name__.replace("_", " "), test, folder)
    sys.exit(1 if tests.failures else 0)


if __name__ == "__main__":
    main()
