"""The page of `converge watch` in Chromium: watch.py FOLDER, which runs.py made.

Clicks, compares, zooms and reloads while a run is trained there; kills the run, goes on with it, restarts the
server, and stops the run by the button. Then a run is trained that serves its page itself.
"""

import signal
import subprocess
import sys
import time
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from chromium import HOSTILE, SCHEMES, WIDTHS, browser, is_text, looks_right, nothing_wrong, scheme, width
from runs import CONVERGE, DIGITS, new_run, start

# What a browser says of a server that is gone.
LOST = ("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET")


def serve(folder, port=0):
    server = subprocess.Popen([CONVERGE, "watch", folder, "--port", str(port)], stdout=subprocess.PIPE, text=True)
    return server, server.stdout.readline().strip()


def train(folder):
    """A training of more epochs than it will come to, and its run."""
    known = set(folder.iterdir())
    trainer = start(*DIGITS, "--epochs", 2000, "--output", folder, stderr=subprocess.DEVNULL)
    return trainer, new_run(folder, known)


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
        print(f"ok: {what}", flush=True)

    def reach(self, chart):
        """Where a curve ends: it may have fewer points as it grows, since neighbours are merged."""
        script = f"return document.querySelector('[data-chart=\"{chart}\"] .plot')?.data?.at(-1).x.at(-1) ?? 0"
        return self.driver.execute_script(script)

    def range(self, chart):
        script = f"return document.querySelector('[data-chart=\"{chart}\"] .plot')._fullLayout.xaxis.range"
        return self.driver.execute_script(script)

    def background(self):
        return self.driver.execute_script("return getComputedStyle(document.body).backgroundColor")

    def look(self, name):
        for colours in SCHEMES:
            scheme(self.driver, colours)
            for pixels in WIDTHS:
                width(self.driver, pixels)
                time.sleep(0.4)
                looks_right(self.driver, name, pixels, colours)
        self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        scheme(self.driver, "light")

    def theme(self, name):
        script = "const box = document.getElementById('theme'); box.value = arguments[0]; box.onchange()"
        self.driver.execute_script(script, name)


def list_of_runs(page, live):
    page.driver.get(page.url)
    page.until("runs are listed", lambda: len(page.find("tr[data-run]")) == 5)
    newest = page.find("tr[data-run]")[0].get_attribute("data-run")
    assert newest == live, f"{newest} is listed first, and not {live}"
    is_text(page.driver)
    page.until("states are told", lambda: all(
        state in page.text("tr[data-run]") for state in ("completed", "diverged", "killed", "running")))
    page.until("the machine's load is told", lambda: "CPU" in page.text("#load"))
    before = page.text(f"tr[data-run={live}] .progress")
    page.until("epochs grow without a reload", lambda: page.text(f"tr[data-run={live}] .progress") != before)
    page.look("list")
    filter_box = page.find("input[type=search]")[0]
    filter_box.send_keys("completed")
    page.until("runs are filtered", lambda: len(page.find("tr[data-run]")) == 2)
    filter_box.clear()
    filter_box.send_keys(" ")
    page.until("all are back", lambda: len(page.find("tr[data-run]")) == 5)


def comparison(page, live):
    for name in (live, "digits"):
        page.find(f"tr[data-run={name}] input")[0].click()
    page.find("#compare")[0].click()
    page.until("two runs are compared", lambda: page.reach("epoch val_loss") > 0)
    assert "synthetic data" in page.text("main table"), "not said where runs are compared"
    page.until("by step too", lambda: page.reach("step loss") > 0)
    page.look("two")
    page.driver.back()
    page.until("back at the list", lambda: len(page.find("tr[data-run]")) == 5)


def growing_run(page, live):
    page.find(f"tr[data-run={live}] a")[0].click()
    page.until("curves are drawn", lambda: page.reach("step loss") > 20)
    before = page.reach("step loss")
    page.until("curves grow", lambda: page.reach("step loss") > before + 20)
    page.until("the verdict so far is told", lambda: "sure" in page.text(".verdict"))
    page.until("the time left is told", lambda: "time left" in page.text(".facts"))
    page.until("the run's own load is told", lambda: "this run" in page.text("#load"))
    assert "SYNTHETIC DATA" in page.text(".banner")
    page.look("run")


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
    scheme(page.driver, "dark")
    page.until("the page is dark where the system is", lambda: page.background() != light)
    page.theme("light")
    page.until("light where that is chosen", lambda: page.background() == light)
    page.driver.refresh()
    page.until("the choice is kept", lambda: page.find("#theme") and page.background() == light)
    page.theme("")
    scheme(page.driver, "light")


def killed_and_resumed(page, trainer, run):
    page.until("the run is drawn", lambda: page.reach("step loss") > 0)
    trainer.send_signal(signal.SIGKILL)
    trainer.wait()
    page.until("a killed run is told", lambda: "killed" in page.text(".state"))
    assert not page.find("#stop"), "a killed run has a button to stop it"
    page.look("killed-run")
    trainer = start("--resume", run, stderr=subprocess.DEVNULL)
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
    assert trainer.wait(10) == 130, "another exit status than after Ctrl-C"
    page.until("why it stopped is told", lambda: "Ended: stopped on request." in page.text("main"))


def served_by_the_training(driver, folder):
    """`converge train --watch`."""
    trainer = start(*DIGITS, "--epochs", 2000, "--watch", "--output", folder, stderr=subprocess.PIPE)
    url = next(line.split()[1] for line in trainer.stderr if line.startswith("watch: "))
    page = Page(driver, url)
    driver.get(url)
    page.until("a training serves its page", lambda: page.reach("step loss") > 0)
    stopped(page, trainer)
    said = trainer.stderr.read()
    assert f"converge watch {folder}" in said, said
    page.until("that it has ended is told", lambda: "the training ended" in page.text("#connection"))


def main(folder):
    trainer, run = train(folder)
    server, url = serve(folder)
    driver = browser()
    page = Page(driver, url)
    try:
        list_of_runs(page, run.name)
        comparison(page, run.name)
        growing_run(page, run.name)
        zoom(page)
        colours(page)
        trainer = killed_and_resumed(page, trainer, run)
        server = restarted_server(page, folder, server)
        stopped(page, trainer)
        served_by_the_training(driver, folder)
        nothing_wrong(driver, LOST)
        print("ok: nothing on the console, nothing asked of another machine")
    finally:
        driver.quit()
        for process in (trainer, server):
            process.kill()
            process.wait()


main(Path(sys.argv[1]))
