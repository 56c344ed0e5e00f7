"""A real browser, driven without a window: Chromium by its own driver."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

_PATIENCE_S = 60


def start_chromium(width: int = 1300, height: int = 900) -> webdriver.Chrome:
    """A browser whose requests and messages are kept; skips the test where there is none."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("no Chromium with its chromedriver is installed")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in (
        *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        "--force-prefers-reduced-motion",  # scrolls at once, so that what is clicked lies still
        f"--window-size={width},{height}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service(driver))


class Page:
    """One report, opened from the disk."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, folder: Path) -> "Page":
        """Opens the folder's page, and forgets the messages of earlier ones."""
        self.messages()
        self.driver.get_log("performance")
        self.driver.get((folder / "index.html").as_uri())
        return self

    def script(self, text: str, *arguments: object) -> Any:
        """What a script returns."""
        return self.driver.execute_script(text, *arguments)

    def wait(self, condition: Callable[[], object]) -> Any:
        """Waits until a condition gives something true, and gives it."""
        return WebDriverWait(self.driver, _PATIENCE_S).until(lambda _: condition())

    def find(self, selector: str) -> WebElement:
        """The first element."""
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        """All elements."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        """The text of an element, seen or not."""
        return str(self.find(selector).get_property("textContent"))

    def settle(self) -> None:
        """Waits until what was asked for is drawn, galleries included."""
        self.driver.execute_async_script(
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => "
            "window.dfsynthSettled().then(done)));"
        )

    def choose(self, column: str, step: int, direction: str = "low") -> None:
        """Picks a score, the values to keep, and where the slider stands, in per cent."""
        self.script(
            """
            const [column, step, direction] = arguments;
            const fire = (at, kind) => at.dispatchEvent(new Event(kind, { bubbles: true }));
            const score = document.getElementById("score");
            score.value = [...score.options].find((option) => option.textContent === column).value;
            fire(score, "change");
            const radio = document.querySelector(`[name=direction][value=${direction}]`);
            radio.checked = true;
            fire(radio, "change");
            """,
            *(column, step, direction),
        )
        self.settle()
        self.script(
            """
            const slider = document.getElementById("slider");
            slider.value = Math.round((arguments[0] / 100) * slider.max);
            slider.dispatchEvent(new Event("input", { bubbles: true }));
            """,
            step,
        )
        self.settle()

    def kept(self) -> tuple[int, int]:
        """How many images the page says are kept, and of how many."""
        words = self.text("#kept-count").removeprefix("kept: ").replace(",", "").split(" of ")
        return int(words[0]), int(words[1])

    def messages(self) -> list[str]:
        """What the console has, since it was last asked."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """The addresses that were asked for, since the page was opened."""
        return [
            line.split('"', 1)[0]
            for entry in self.driver.get_log("performance")
            if '"Network.requestWillBeSent"' in entry["message"]
            for line in entry["message"].split('"url":"')[1:2]
        ]


def pages() -> Iterator[Page]:
    """A page in a browser that ends with the tests."""
    driver = start_chromium()
    try:
        yield Page(driver)
    finally:
        driver.quit()
