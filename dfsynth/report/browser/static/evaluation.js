// The page of an evaluation: stages, reliability, risk against coverage, worst cases.
"use strict";
(() => {
  const { element, number, interval } = window.dfsynthFormat;
  const { lines, clear } = window.dfsynthCharts;
  const facts = window.dfsynthReport.facts("report");
  const at = (id) => document.getElementById(id);
  const REMOVED = Array.from({ length: 20 }, (_, i) => i * 0.05);
  const KEPT = Array.from({ length: 20 }, (_, i) => (i + 1) * 0.05);
  const LEVELS = [["0.5", "coverage_50"], ["0.8", "coverage_80"], ["0.9", "coverage"], ["0.95", "coverage_95"]];
  const HIGHER_IS_BETTER = new Set(["psnr", "ssim", "pearson", "spearman", "spearman_pixels"]);
  const MEANINGS = {
    clean: "Against the target without noise and artefacts.",
    noisy: "Against the target as measured, unclipped.",
    oracle: "Against the noisy target: what somebody reaches who knows all but the noise.",
  };
  const DRAWN_FIRST = 4;
  const WORST = 20;

  const last = facts.stages.at(-1);
  fill(at("region"), Object.keys(last.regions));
  fill(at("target"), ["clean", "noisy", "oracle"].filter((t) => Object.values(last.regions)[0][t]));
  at("region").addEventListener("change", showStages);
  at("target").addEventListener("change", showStages);
  showStages();
  showOutside();
  showStreaks();
  showRisk();
  showCases();

  function fill(select, names) {
    select.replaceChildren(...names.map((name) => element("option", { value: name }, name.replaceAll("_", " "))));
  }

  function chosen() {
    return facts.stages.map((stage) => ({ stage: stage.stage, found: (stage.regions[at("region").value] || {})[at("target").value] })).filter((s) => s.found);
  }

  function showStages() {
    const stages = chosen();
    at("target-meaning").textContent = MEANINGS[at("target").value];
    at("stage-heads").replaceChildren(element("tr", {}, element("th", { scope: "col" }, "Figure"), ...stages.map((s) => element("th", { scope: "col" }, `Stage ${s.stage}`))));
    const names = Object.keys(stages[0].found.figures);
    at("stage-rows").replaceChildren(...names.map((name) => element("tr", {},
      element("th", { scope: "row" }, name.replaceAll("_", " ")),
      ...stages.map((s) => element("td", {}, interval(s.found.figures[name]))))));
    showReliability(stages);
  }

  function showReliability(stages) {
    showStated(stages);
    showCoverage(stages);
    showSparsification(stages);
    const spread = stages.at(-1).found.coverage_over_images;
    at("coverage-rows").replaceChildren(...Object.entries(spread).map(([level, marks]) => element("tr", {},
      element("th", { scope: "row" }, `${100 * level} %`),
      ...["p05", "p25", "median", "p75", "p95"].map((mark) => element("td", { class: "number" }, `${(100 * marks[mark]).toFixed(1)} %`)))));
  }

  /** Deciles of several stages lie at different places: one common x, gaps where a stage has none. */
  function showStated(stages) {
    const x = [...new Set(stages.flatMap((s) => s.found.deciles.map((bin) => bin.stated)))].sort((a, b) => a - b);
    const most = Math.max(...stages.flatMap((s) => s.found.deciles.flatMap((bin) => [bin.stated, bin.found]))) * 1.05;
    const found = stages.map((s) => {
      const by = new Map(s.found.deciles.map((bin) => [bin.stated, bin.found]));
      return { label: `stage ${s.stage}`, values: x.map((v) => by.get(v)), points: true };
    });
    chart("reliability-chart", { x, lines: found, xLabel: "stated standard deviation", yLabel: "root mean square error", xRange: [0, most], yRange: [0, most], marks: diagonal, legend: true });
  }

  function showCoverage(stages) {
    const x = LEVELS.map(([level]) => Number(level));
    const found = stages.map((s) => ({ label: `stage ${s.stage}`, points: true, values: LEVELS.map(([, name]) => s.found.figures[name] && s.found.figures[name].value) }));
    chart("coverage-chart", { x, lines: found, xLabel: "interval", yLabel: "share inside", xRange: [0.4, 1], yRange: [0, 1], marks: diagonal, legend: true });
  }

  function showSparsification(stages) {
    const found = stages.flatMap((s, n) => [
      { label: `stage ${s.stage}`, values: s.found.sparsification, number: n },
      { label: `stage ${s.stage}, by error`, values: s.found.best_sparsification, dash: [5, 4], width: 1, number: n },
    ]).filter((line) => line.values.length);
    chart("sparsification-chart", { x: REMOVED, lines: found, xLabel: "share of the pixels taken away", yLabel: "error left", xRange: [0, 1], yRange: [0, 1.05], legend: true });
  }

  function chart(id, options) {
    clear(at(id));
    if (options.lines.length) lines(at(id), options);
    else at(id).replaceChildren(element("p", { class: "small" }, "Not defined here."));
  }

  function diagonal(u, colours) {
    const { ctx, bbox } = u;
    const low = Math.max(u.scales.x.min, u.scales.y.min);
    const high = Math.min(u.scales.x.max, u.scales.y.max);
    ctx.save();
    ctx.strokeStyle = colours.dim;
    ctx.setLineDash([5, 4]);
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.beginPath();
    ctx.moveTo(u.valToPos(low, "x", true), u.valToPos(low, "y", true));
    ctx.lineTo(u.valToPos(high, "x", true), u.valToPos(high, "y", true));
    ctx.stroke();
    ctx.restore();
  }

  function showOutside() {
    if (!facts.outside) return;
    const { predicted, target, excess, highest_excess: most, highest_image: image } = facts.outside;
    at("outside").replaceChildren(element("p", { class: "small" },
      `Mean outside the lung: ${interval(predicted)} predicted, ${interval(target)} in the target, ${interval(excess)} too much; most in ${image}: ${number(most)}.`));
  }

  function showStreaks() {
    if (!facts.streaks) return;
    const { rows, curves } = facts.streaks;
    at("streak-rows").replaceChildren(...rows.map((row) => element("tr", {},
      element("th", { scope: "row" }, row.title), element("td", {}, row.unit),
      ...["input", "restored", "target", "truth"].map((kind) => element("td", {}, interval(row[kind]))))));
    if (!curves) {
      at("streak-curves").replaceChildren(element("p", { class: "small" }, "Curves are not known: this evaluation was made before they were kept."));
      return;
    }
    showCurve("noise-chart", curves.noise_power, { xLabel: "cycles a mm", yLabel: "noise power, (1/m)² mm²", yLog: true });
    showCurve("direction-chart", curves.streak_power, { xLabel: "degrees", yLabel: "variance, (1/m)²", xRange: [0, 180], yRange: [0, null] });
    showCurve("transfer-chart", curves.transfer, { xLabel: "cycles a pixel", yLabel: "modulation transfer", xRange: [0, 0.5], yRange: [0, 1.2] });
  }

  function showCurve(id, { slices, x, y }, options) {
    const kinds = slices ? [["input", "one rotation"], ["restored", "restored"], ["target", "all rotations"]] : [];
    chart(id, { x, lines: kinds.map(([kind, label]) => ({ label, values: y[kind] })), legend: true, ...options });
  }

  function showRisk() {
    const errors = Object.keys(facts.risk);
    if (!errors.length) {
      at("risk").querySelector(".controls").hidden = true;
      at("risk-table").hidden = true;
      at("risk-chart").replaceChildren(element("p", { class: "small" }, "Not known: these pairs have no clean target."));
    } else {
      fill(at("risk-error"), errors);
      at("risk-error").addEventListener("change", showRanking);
      showRanking();
    }
    if (facts.ood) {
      at("ood").replaceChildren(element("h3", {}, "AUROC of out-of-distribution images"),
        element("table", {}, element("tbody", {}, ...Object.entries(facts.ood).map(([name, found]) => element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, interval(found)))))));
    }
  }

  function showRanking() {
    const ranked = facts.risk[at("risk-error").value];
    const names = Object.keys(ranked).filter((n) => n !== "random" && n !== "oracle");
    const area = (name) => ranked[name].area.value ?? Infinity;
    names.sort((a, b) => area(a) - area(b));
    const boxes = new Map(names.map((name, n) => [name, element("input", { type: "checkbox", checked: n < DRAWN_FIRST, "aria-label": `draw ${name}`, onchange: draw })]));
    at("risk-rows").replaceChildren(...["oracle", ...names, "random"].map((name) => {
      const found = ranked[name];
      return element("tr", {}, element("td", {}, boxes.get(name) || ""), element("th", { scope: "row" }, name),
        element("td", {}, interval(found.area)), element("td", {}, interval(found.share_of_oracle_70)), element("td", {}, interval(found.spearman)));
    }));
    function draw() {
      const shown = names.filter((name) => boxes.get(name).checked);
      chart("risk-chart", {
        x: KEPT, xLabel: "share of the images kept", yLabel: "mean error", xRange: [0, 1], yRange: [0, null], legend: true,
        lines: [
          ...shown.map((name) => ({ label: name, values: ranked[name].curve })),
          { label: "random", values: ranked.random.curve, colour: "dim", dash: [6, 4] },
          { label: "oracle", values: ranked.oracle.curve, colour: "dim", dash: [2, 3] },
        ],
      });
    }
    draw();
  }

  function showCases() {
    const { cases } = facts;
    if (!cases || !cases.lines.length) {
      at("cases").replaceChildren(at("cases-title"), element("p", {}, "images.csv is not beside the figures, so that no single image is known."));
      return;
    }
    fill(at("case-figure"), cases.figures.filter((name) => name !== "uncertainty"));
    at("case-figure").value = "mae";
    at("case-figure").addEventListener("change", () => listCases(cases));
    listCases(cases);
    drawCases(cases);
  }

  function listCases(cases) {
    const name = at("case-figure").value;
    const column = (figure) => 1 + cases.figures.indexOf(figure);
    const sign = HIGHER_IS_BETTER.has(name) ? 1 : -1;
    const known = cases.lines.filter((line) => line[column(name)] !== null);
    known.sort((a, b) => sign * (a[column(name)] - b[column(name)]));
    at("case-head").textContent = name.replaceAll("_", " ");
    at("case-text").textContent = `Last stage, ${cases.region}, ${cases.target} target; the worst ${Math.min(WORST, known.length)} of ${known.length}, ${sign > 0 ? "lowest" : "highest"} first.`;
    at("case-rows").replaceChildren(...known.slice(0, WORST).map((line) => element("tr", {},
      element("th", { scope: "row" }, line[0]),
      ...[name, "error", "uncertainty"].map((figure) => element("td", { class: "number" }, number(line[column(figure)]))))));
  }

  function drawCases(cases) {
    const error = 1 + cases.figures.indexOf("error");
    const uncertainty = 1 + cases.figures.indexOf("uncertainty");
    const known = cases.lines.filter((line) => line[error] !== null && line[uncertainty] !== null).sort((a, b) => a[uncertainty] - b[uncertainty]);
    const most = Math.max(...known.map((line) => Math.max(line[error], line[uncertainty]))) * 1.05;
    chart("case-chart", {
      x: known.map((line) => line[uncertainty]), lines: [{ label: "images", values: known.map((line) => line[error]), points: true, width: 0 }],
      xLabel: "uncertainty", yLabel: "error", xRange: [0, most], yRange: [0, most], marks: diagonal,
    });
  }
})();
