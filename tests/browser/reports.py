"""The pages of `converge report` in Chromium: reports.py FOLDER, which runs.py made.

Each page must draw all its charts at 400, 1000 and 2000 pixels in light and dark without a message on the
console, a request to another machine or a page that is wider than the window; zoom, pan, hover, smoothing,
logarithmic axes, the switch of colours and sorting must do what they say.
"""

import sys
import time
from pathlib import Path

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from chromium import HOSTILE, SCHEMES, WIDTHS, browser, is_text, looks_right, nothing_wrong, scheme, width
from runs import converge

PLOT = """const figures = [...document.querySelectorAll('[data-chart]')];
return figures.find(one => one.querySelector('h3').textContent.includes('every step'));"""


def choose(driver, control, value):
    driver.execute_script(
        "const one = document.getElementById(arguments[0]); one.value = arguments[1];"
        "for (const kind of ['input', 'change']) one.dispatchEvent(new Event(kind));",
        control,
        value,
    )
    time.sleep(0.5)


def open_at(driver, page, name, pixels, colours):
    scheme(driver, colours)
    width(driver, pixels)
    driver.get(page)
    script = driver.execute_script
    charts = script("return document.querySelectorAll('[data-chart]').length")
    drawn = "return document.querySelectorAll('.js-plotly-plot .main-svg').length > 0"
    if charts:
        WebDriverWait(driver, 20, 0.1).until(lambda _: script(drawn), "nothing is drawn")
    assert script("return document.querySelectorAll('.js-plotly-plot').length") == charts, "charts"
    looks_right(driver, name, pixels, colours)


def says(driver, *texts):
    shown = driver.execute_script("return document.body.innerText")
    missing = [text for text in texts if text not in shown]
    assert not missing, f"not on the page: {missing}"


def warns_of_synthetic_data(driver):
    """Where nobody can miss it: above all else."""
    found = driver.execute_script("""const one = document.querySelector('.banner');
        return one && [one.innerText, one.getBoundingClientRect().top, getComputedStyle(one).position];""")
    assert found and "SYNTHETIC DATA" in found[0] and found[1] < 200, found


def use(driver):
    script = driver.execute_script
    figure = script(PLOT)
    if figure is None:
        return
    script("arguments[0].scrollIntoView({block: 'center'})", figure)
    plot = figure.find_element(By.CSS_SELECTOR, ".plot")
    layout = lambda axis, key: script("return arguments[0].layout[arguments[1]][arguments[2]]", plot, axis, key)
    drag = lambda: plot.find_element(By.CSS_SELECTOR, ".nsewdrag")

    values = lambda: script("return JSON.stringify(arguments[0].data.map(trace => trace.y))", plot)
    before = values()
    choose(driver, "smoothing", "0.95")
    # Short curves are drawn as they are.
    is_long = script("return arguments[0].data.some(trace => trace.meta.smooth || trace.meta.mean)", plot)
    assert (values() != before) == is_long, "smoothing"

    def shows_values(height):
        ActionChains(driver).move_to_element_with_offset(drag(), 0, height).perform()
        time.sleep(0.2)
        return script("return arguments[0].querySelectorAll('.hoverlayer text').length", plot) > 0

    # Where curves are many, one has to point at one of them.
    reach = drag().size["height"] // 2 - 2
    assert any(shows_values(height) for height in range(-reach, reach, 12)), "hover"

    whole = layout("xaxis", "range")
    ActionChains(driver).move_to_element(drag()).click_and_hold().move_by_offset(120, 30).release().perform()
    time.sleep(0.5)
    near = layout("xaxis", "range")
    assert near[1] - near[0] < whole[1] - whole[0], "zoom"
    choose(driver, "smoothing", "0.5")
    assert layout("xaxis", "range") == near, "zoom is lost"

    pan = plot.find_element(By.CSS_SELECTOR, "[data-val=pan]")
    script("arguments[0].dispatchEvent(new MouseEvent('click', {bubbles: true}))", pan)
    ActionChains(driver).move_to_element(drag()).click_and_hold().move_by_offset(-60, 0).release().perform()
    time.sleep(0.5)
    assert layout("xaxis", "range")[0] > near[0], "pan"

    kind = layout("yaxis", "type")
    figure.find_element(By.CSS_SELECTOR, "[data-log=y]").click()
    time.sleep(0.3)
    assert {kind, layout("yaxis", "type")} == {"linear", "log"}, "logarithmic axis"

    background = lambda: script("return getComputedStyle(document.body).backgroundColor")
    choose(driver, "theme", "light")
    light = background()
    choose(driver, "theme", "dark")
    assert background() != light, "colours"


def sort(driver):
    for table in driver.find_elements(By.CSS_SELECTOR, "table.sortable"):
        cells = lambda: [row.text for row in table.find_elements(By.CSS_SELECTOR, "tbody tr")]
        button = table.find_element(By.CSS_SELECTOR, "th button")
        orders = []
        for _ in range(2):
            driver.execute_script("arguments[0].click()", button)
            orders.append(cells())
        assert orders[0] == orders[1][::-1], "sorting"


def main(folder):
    page = folder.parent / "report.html"
    pages = {
        "whole": (["digits"], ["Learning curves", "Confusion matrix"]),
        "diverged": (["diverged"], ["Diverged", "became inf"]),
        "killed": (["killed"], ["was killed", "converge train --resume"]),
        "hostile": ([HOSTILE], [f"[{HOSTILE}] {HOSTILE}", f"{HOSTILE} "]),
        "compared": (["digits", HOSTILE, "diverged"], ["digits"]),
    }
    driver = browser()
    try:
        for name, (runs, texts) in pages.items():
            converge("report", *(folder / run for run in runs), "--page", page)
            for pixels in WIDTHS:
                for colours in SCHEMES:
                    open_at(driver, page.as_uri(), name, pixels, colours)
                    warns_of_synthetic_data(driver)
            open_at(driver, page.as_uri(), name, 1000, "light")
            says(driver, *texts)
            if HOSTILE in runs:
                is_text(driver)
            use(driver)
            sort(driver)
            nothing_wrong(driver)
            print(f"ok: the report called {name}", flush=True)
    finally:
        driver.quit()


main(Path(sys.argv[1]))
