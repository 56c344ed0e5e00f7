// Numbers and elements, the same everywhere on the page.
"use strict";
window.dfsynthFormat = (() => {
  const whole = new Intl.NumberFormat("en");

  /** A number with four significant digits, or a dash. */
  function number(value) {
    if (value === null || value === undefined || !Number.isFinite(value)) return "–";
    if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6)) return value.toPrecision(4);
    return String(Number(value.toPrecision(4)));
  }

  /** A value with its interval {value, low, high}. */
  function interval(found) {
    if (!found || found.value === null) return "–";
    if (found.low === null) return number(found.value);
    return `${number(found.value)} (${number(found.low)} to ${number(found.high)})`;
  }

  function percent(part, all) {
    return all ? `${((100 * part) / all).toFixed(1)} %` : "–";
  }

  /** An element with attributes, listeners (on…) and children; texts are never markup. */
  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false && value !== null) made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  }

  /** Tabs as the ARIA pattern has them: arrow keys move, the chosen one is in the tab order. */
  function tabs(list, names, panel, choose) {
    const made = names.map((name, index) =>
      element("button", {
        type: "button", role: "tab", id: `${list.id}-${index}`, "aria-controls": panel.id,
        onclick: () => select(index),
        onkeydown: (event) => {
          const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
          if (!step) return;
          event.preventDefault();
          select((index + step + made.length) % made.length);
          made[(index + step + made.length) % made.length].focus();
        },
      }, name));
    function select(index) {
      made.forEach((tab, at) => {
        tab.setAttribute("aria-selected", String(at === index));
        tab.tabIndex = at === index ? 0 : -1;
      });
      panel.setAttribute("aria-labelledby", made[index].id);
      choose(index);
    }
    list.replaceChildren(...made);
    return select;
  }

  return { number, interval, percent, whole: (n) => whole.format(n), element, tabs };
})();
