"""Opens pages of reports in Chromium and does with them what a reader does.

Usage: reports.py PAGE.html…  Needs Debian's `chromium` and `chromium-driver`, and selenium (4.51) from pip.
Each page must draw all its charts at 400, 1000 and 2000 pixels in light and dark without a message on the
console, a request or a page that is wider than the window; zoom, pan, hover, smoothing, logarithmic axes,
the switch of colours and sorting must do what they say.
"""

import sys
import time
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

PLOT = """const figures = [...document.querySelectorAll('[data-chart]')];
return figures.find(one => one.querySelector('h3').textContent.includes('every step'));"""


def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ["--headless=new", "--no-sandbox", "--window-size=1200,900"]:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))


def choose(driver, control, value):
    driver.execute_script(
        "const one = document.getElementById(arguments[0]); one.value = arguments[1];"
        "for (const kind of ['input', 'change']) one.dispatchEvent(new Event(kind));",
        control,
        value,
    )
    time.sleep(0.5)


def open_at(driver, page, width, scheme):
    media = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.get(page)
    time.sleep(1)
    script = driver.execute_script
    charts = script("return document.querySelectorAll('[data-chart]').length")
    drawn = script("return document.querySelectorAll('.js-plotly-plot .main-svg').length > 0")
    assert script("return document.querySelectorAll('.js-plotly-plot').length") == charts, "charts"
    assert drawn or charts == 0, "nothing is drawn"
    assert script("return document.documentElement.scrollWidth") <= width, f"wider than {width}"
    assert script("return performance.getEntriesByType('resource').length") == 0, "a request"
    assert script("return document.querySelectorAll('main script, main iframe').length") == 0, "markup"


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


driver = browser()
for page in sys.argv[1:]:
    address = Path(page).resolve().as_uri()
    for width in [400, 1000, 2000]:
        for scheme in ["light", "dark"]:
            open_at(driver, address, width, scheme)
    open_at(driver, address, 1000, "light")
    use(driver)
    sort(driver)
    messages = driver.get_log("browser")
    assert not messages, messages
    print(f"{page}: looks and works")
driver.quit()
