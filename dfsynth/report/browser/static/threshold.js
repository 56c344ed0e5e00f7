// The panel of the threshold: its controls, the error to expect, and the same choice as commands.
"use strict";
window.dfsynthThreshold = (() => {
  const { element, number, percent, whole } = window.dfsynthFormat;
  const { condition } = window.dfsynthSelection;
  const at = (id) => document.getElementById(id);

  /** `store` is {facts, selection, state, change}; `change` moves the state and tells everybody. */
  function setUp(store) {
    const { facts, selection, state, change } = store;
    const score = at("score");
    score.append(...selection.columns.map((c) => element("option", { value: c.index }, c.name)));
    score.addEventListener("change", () => change({ column: selection.columns[score.value] }));
    for (const radio of document.getElementsByName("direction")) {
      radio.addEventListener("change", () => change({ direction: radio.value }));
    }
    at("slider").addEventListener("input", (event) => change({ threshold: valueOfStep(state.column, Number(event.target.value)) }));
    committed(at("value"), (typed) => change({ threshold: typed }));
    committed(at("share"), (typed) => change({
      threshold: selection.thresholdOf(state.column, Math.min(Math.max(typed, 0), 100) / 100, state.direction, state.withoutLung),
    }));
    if (at("no-lung")) at("no-lung").addEventListener("change", (event) => change({ withoutLung: event.target.checked }));
    for (const button of document.querySelectorAll(".copy")) button.addEventListener("click", () => copy(button));
    const curves = new Map(facts.errors.map((curve) => [curve.column, curve]));
    const errors = setUpErrors(store, curves);
    return () => {
      showControls(store);
      errors();
      showCommands(store);
    };
  }

  function committed(field, take) {
    field.addEventListener("change", () => {
      const typed = Number(field.value.replace("%", "").replace(",", "."));
      if (field.value.trim() && Number.isFinite(typed)) take(typed);
    });
  }

  /** Steps of the slider run over the axis; the ends reach to the outermost values. */
  function stepsOf(column) {
    return Math.round((column.bars * column.width) / column.step);
  }

  function valueOfStep(column, step) {
    if (step === 0) return Math.min(column.lowest, column.low);
    if (step === stepsOf(column)) return Math.max(column.highest, column.low + step * column.step);
    return column.low + step * column.step;
  }

  function showControls({ selection, state, facts }) {
    const { column, threshold, text } = state;
    at("score").value = column.index;
    for (const radio of document.getElementsByName("direction")) radio.checked = radio.value === state.direction;
    const slider = at("slider");
    slider.max = stepsOf(column);
    slider.value = Math.round((threshold - column.low) / column.step);
    const share = percent(selection.count, selection.finished);
    slider.setAttribute("aria-valuetext", `${text}, keeps ${share}`);
    if (at("no-lung")) at("no-lung").checked = state.withoutLung;
    at("value").value = text;
    at("share").value = selection.finished ? ((100 * selection.count) / selection.finished).toFixed(1) : "";
    at("kept-share").textContent = share;
    at("kept-count").textContent = `kept: ${whole(selection.count)} of ${whole(selection.finished)}`;
    const missing = selection.finished - column.known;
    const remarks = [`${column.description}${column.unit ? ` (${column.unit})` : ""}.`];
    if (missing) remarks.push(`Never kept: ${whole(missing)} without a number in it.`);
    at("score-meaning").textContent = remarks.join(" ");
  }

  function setUpErrors(store, curves) {
    const { state, change, selection } = store;
    const place = at("error-chart");
    let shown = null;
    let chart = null;
    at("promise-use").addEventListener("click", () => {
      const promise = curves.get(state.column.name).promises[at("promise-limit").value];
      change({ threshold: promise.threshold, direction: "low", withoutLung: false, promise });
    });
    at("promise-limit").addEventListener("change", () => showPromise(store, curves));
    return () => {
      const curve = curves.get(state.column.name);
      const applies = curve && state.direction === "low";
      place.hidden = !applies;
      at("promise").hidden = !applies || !curve.promises.length;
      at("expected").textContent = applies ? expectedText(curve, state.threshold) : unknownText(curves, state);
      if (!applies) return;
      if (shown !== curve) {
        window.dfsynthCharts.clear(place);
        chart = drawCurve(place, curve, state);
        at("promise-limit").replaceChildren(...curve.promises.map((p, n) => element("option", { value: n }, String(p.max_error))));
        shown = curve;
      } else {
        chart.redraw(false);
      }
      showPromise(store, curves);
    };
  }

  function unknownText(curves, state) {
    if (!curves.size) return "not known";
    if (state.direction === "high") return "not known where high values are kept";
    return `not known for ${state.column.name}; known for ${[...curves.keys()].join(", ")}`;
  }

  function indexOf(curve, threshold) {
    let last = -1;
    while (last + 1 < curve.thresholds.length && curve.thresholds[last + 1] <= threshold) last++;
    return last;
  }

  function expectedText(curve, threshold) {
    const n = indexOf(curve, threshold);
    if (n < 0) return "no calibration image has so low a value";
    const ends = curve.low[n] === null ? "" : ` (95 % interval ${number(curve.low[n])} to ${number(curve.high[n])})`;
    return `${curve.mean[n].toFixed(3)}${ends}, ${curve.patients[n]} ${curve.patients[n] === 1 ? "patient" : "patients"}`;
  }

  function drawCurve(place, curve, state) {
    const { column } = state;
    return window.dfsynthCharts.lines(place, {
      x: curve.thresholds,
      lines: [
        { label: "mean", values: curve.mean, colour: "kept", band: [1, 2] },
        { label: "high", values: curve.high, colour: "all", width: 1 },
        { label: "low", values: curve.low, colour: "all", width: 1 },
      ],
      xLabel: column.name, yLabel: "error of shape",
      xRange: [Math.min(column.low, curve.thresholds[0]), Math.max(column.low + column.bars * column.width, curve.thresholds.at(-1))],
      yRange: [0, Math.max(...curve.high, ...curve.mean) * 1.1],
      marks: (u, colours) => window.dfsynthCharts.upright(u, state.threshold, colours.handle, 2),
    });
  }

  function showPromise({ selection, state, facts }, curves) {
    const curve = curves.get(state.column.name);
    const promise = curve && curve.promises[at("promise-limit").value];
    if (!promise) return;
    at("promise-text").textContent =
      `${curve.column} ≤ ${number(promise.threshold)}: what dfsynth filter --max-error ${promise.max_error} ` +
      `${facts.promiseTerms} keeps. Choose the limit before you look at what it keeps.`;
  }

  function showCommands({ facts, state, selection }) {
    const { promise, column } = state;
    const where = condition(column, state.text, state.direction);
    const options = promise
      ? [["max_error", String(promise.max_error)], ["by", `"${column.name}"`], ...(facts.pythonCheckpoint ? [["checkpoint", facts.pythonCheckpoint]] : [])]
      : [["where", `"${where}"`], ...(state.withoutLung ? [["include_no_lung", "True"]] : [])];
    const shell = promise
      ? `--max-error ${promise.max_error} --by ${column.name}${facts.shellCheckpoint ? ` --checkpoint ${facts.shellCheckpoint}` : ""}`
      : `--where "${where}"${state.withoutLung ? " --include-no-lung" : ""}`;
    at("shell").textContent = `dfsynth filter ${facts.shellName} ${shell} --out kept.parquet`;
    const named = options.map(([name, value]) => `${name}=${value}`).join(", ");
    at("python").textContent = [
      "import dfsynth",
      "",
      `kept = dfsynth.filter_store(${facts.pythonName}, ${named}, out="kept.parquet")`,
      `# ${whole(selection.count)} of ${whole(selection.finished)}`,
    ].join("\n");
  }

  async function copy(button) {
    const text = at(button.dataset.copies).textContent;
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Where a page from a disk may not write to the clipboard: the old way, by a selection.
      const field = element("textarea", { class: "offscreen" });
      field.value = text;
      document.body.append(field);
      field.select();
      done = document.execCommand("copy");
      field.remove();
    }
    button.textContent = done ? "Copied" : "Select and copy by hand";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  }

  return { setUp };
})();
