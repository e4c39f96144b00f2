"""`converge watch` in a real browser: click, zoom, reload, kill the run, dark mode, no errors in its console.

    tests/browser/watch.sh

Runs are played by trainer.py. SCREENSHOTS=DIR keeps pictures at 400, 1000 and 2000 pixels, light and dark.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

HERE = Path(__file__).parent
HOSTILE = "<img src=x onerror=alert(1)>"
SERVER = sys.argv[1:]


def serve(folder, port="0"):
    server = subprocess.Popen([*SERVER, str(folder), port], stdout=subprocess.PIPE, text=True)
    return server, server.stdout.readline().strip()


def train(folder, name, epochs, *more, pause="0.01"):
    command = [sys.executable, HERE / "trainer.py", folder, name, str(epochs), *more]
    return subprocess.Popen(command, env=os.environ | {"PAUSE": pause})


def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))


class Page:
    def __init__(self, driver, url):
        self.driver, self.url = driver, url

    def find(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return " ".join(found.text for found in self.find(selector))

    def until(self, what, condition, seconds=30):
        waiting = WebDriverWait(self.driver, seconds, 0.1, [StaleElementReferenceException])
        waiting.until(lambda _: condition(), f"waited in vain: {what}")
        print(f"ok: {what}")

    def reach(self, chart):
        """Where a curve ends: it may have fewer points as it grows, since neighbours are merged."""
        script = f"return document.querySelector('[data-chart=\"{chart}\"] .plot')?.data?.at(-1).x.at(-1) ?? 0"
        return self.driver.execute_script(script)

    def range(self, chart):
        script = f"return document.querySelector('[data-chart=\"{chart}\"] .plot')._fullLayout.xaxis.range"
        return self.driver.execute_script(script)

    def background(self):
        return self.driver.execute_script("return getComputedStyle(document.body).backgroundColor")

    def picture(self, name):
        folder = os.environ.get("SCREENSHOTS")
        if not folder:
            return
        Path(folder).mkdir(parents=True, exist_ok=True)
        for theme in ("light", "dark"):
            self.theme(theme)
            for width in (400, 1000, 2000):
                size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
                self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
                time.sleep(1)
                height = self.driver.execute_script("return document.documentElement.scrollHeight")
                self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size | {"height": min(height, 4000)})
                time.sleep(0.5)
                self.driver.save_screenshot(f"{folder}/{name}-{width}-{theme}.png")
        self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        self.theme("")

    def theme(self, name):
        script = "const box = document.getElementById('theme'); box.value = arguments[0]; box.onchange()"
        self.driver.execute_script(script, name)

    def errors(self):
        expected = ("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING")
        entries = [entry for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
        return [entry for entry in entries if not any(word in entry["message"] for word in expected)]


def list_of_runs(page, folder):
    page.driver.get(page.url)
    page.until("runs are listed, newest first", lambda: len(page.find("tr[data-run]")) == 3)
    assert page.find("tr[data-run]")[0].get_attribute("data-run") == "live", page.text("tr[data-run]")
    assert HOSTILE in page.text("tr[data-run]"), "a name with HTML is not shown as text"
    assert not page.find("main img"), "a name became HTML"
    page.until("the machine's load is told", lambda: "CPU" in page.text("#load"))
    page.until("epochs grow without a reload", lambda: "2 of" in page.text("tr[data-run=live]"))
    page.picture("list")
    filter_box = page.find("input[type=search]")[0]
    filter_box.send_keys("completed")
    page.until("runs are filtered", lambda: len(page.find("tr[data-run]")) == 2)
    filter_box.clear()
    filter_box.send_keys(" ")
    page.until("all are back", lambda: len(page.find("tr[data-run]")) == 3)


def comparison(page):
    for name in ("live", "old"):
        page.find(f"tr[data-run={name}] input")[0].click()
    page.find("#compare")[0].click()
    page.until("two runs are compared", lambda: page.reach("epoch val_loss") > 0)
    page.until("by step too", lambda: page.reach("step loss") > 0)
    page.picture("compare")
    page.driver.back()
    page.until("back at the list", lambda: len(page.find("tr[data-run]")) == 3)


def growing_run(page):
    page.find("tr[data-run=live] a")[0].click()
    page.until("curves are drawn", lambda: page.reach("step loss") > 20)
    before = page.reach("step loss")
    page.until("curves grow", lambda: page.reach("step loss") > before + 20)
    page.until("the verdict so far is told", lambda: "sure" in page.text(".verdict"))
    page.until("the time left is told", lambda: "time left" in page.text(".facts"))
    page.until("the run's own load is told", lambda: "this run" in page.text("#load"))
    page.picture("run")


def zoom(page):
    drag = page.find("[data-chart='step loss'] .nsewdrag")[0]
    page.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", drag)
    whole = page.range("step loss")
    actions = webdriver.ActionChains(page.driver)
    actions.move_to_element_with_offset(drag, -60, -40).click_and_hold().move_by_offset(120, 80).release().perform()
    page.until("a drag zooms", lambda: page.range("step loss")[1] < whole[1])
    zoomed = page.range("step loss")
    before = page.reach("step loss")
    page.until("it goes on growing", lambda: page.reach("step loss") > before)
    assert page.range("step loss") == zoomed, "the zoom was lost when the curve grew"
    page.driver.refresh()
    page.until("a reload shows all again", lambda: page.reach("step loss") >= before)
    switch = page.find("[data-chart='step loss'] input")[0]
    page.driver.execute_script("arguments[0].click()", switch)
    script = "return document.querySelector(\"[data-chart='step loss'] .plot\")._fullLayout.yaxis.type"
    page.until("an axis is logarithmic", lambda: page.driver.execute_script(script) == "log")


def colours(page):
    light = page.background()
    emulate = lambda value: page.driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": value}]})
    emulate("dark")
    page.until("the page is dark where the system is", lambda: page.background() != light)
    page.theme("light")
    page.until("light where that is chosen", lambda: page.background() == light)
    page.driver.refresh()
    page.until("the choice is kept", lambda: page.find("#theme") and page.background() == light)
    page.theme("")
    emulate("light")


def killed_and_resumed(page, folder, trainer):
    page.until("the run is drawn", lambda: page.reach("step loss") > 0)
    trainer.send_signal(signal.SIGKILL)
    trainer.wait()
    page.until("a killed run is told", lambda: "killed" in page.text(".state"))
    assert not page.find("#stop"), "a killed run has a button to stop it"
    page.picture("killed")
    trainer = train(folder, "live", 200, "resume")
    page.until("a resumed run is told", lambda: "running" in page.text(".state"))
    before = page.reach("step loss")
    page.until("its curves grow again", lambda: page.reach("step loss") > before + 10)
    return trainer


def restarted_server(page, folder, server):
    server.kill()
    server.wait()
    page.until("a lost connection is told", lambda: "no connection" in page.text("#connection"))
    server, _ = serve(folder, page.url.rstrip("/").rsplit(":", 1)[1])
    page.until("the page connects by itself", lambda: page.text("#connection") == "live")
    before = page.reach("step loss")
    page.until("and grows", lambda: page.reach("step loss") > before)
    return server


def stopped(page, trainer):
    page.until("there is a button to stop it", lambda: page.find("#stop"))
    page.find("#stop")[0].click()
    page.driver.switch_to.alert.accept()
    page.until("the run was interrupted", lambda: "interrupted" in page.text(".state"))
    assert trainer.wait(10) == 0
    page.until("why it stopped is told", lambda: "It stopped: interrupted in step" in page.text("main"))


def main():
    with tempfile.TemporaryDirectory() as folder:
        for name in ("old", HOSTILE):
            assert train(folder, name, 12, pause="0").wait() == 0
        time.sleep(1)
        trainer = train(folder, "live", 200)
        server, url = serve(folder)
        driver = browser()
        page = Page(driver, url)
        try:
            list_of_runs(page, folder)
            comparison(page)
            growing_run(page)
            zoom(page)
            colours(page)
            trainer = killed_and_resumed(page, folder, trainer)
            server = restarted_server(page, folder, server)
            stopped(page, trainer)
            errors = page.errors()
            assert not errors, errors
            print("ok: no errors in the console")
        finally:
            driver.quit()
            for process in (trainer, server):
                process.kill()
                process.wait()


main()
