"""A Chromium without a window, for what is measured in a browser."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from selenium import webdriver
from selenium.webdriver.chrome.service import Service


@contextmanager
def start_chromium(script_timeout_s: float) -> Iterator[webdriver.Chrome]:
    """The browser and driver that are on PATH; ends them afterwards."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1300,900"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=Service(str(shutil.which("chromedriver"))))
    try:
        driver.set_script_timeout(script_timeout_s)
        yield driver
    finally:
        driver.quit()
