// One score against another, as an image of how many images lie where.
"use strict";
window.dfsynthRelation = (() => {
  const { element, whole } = window.dfsynthFormat;
  const SIDE = 96;
  const WAIT_MS = 250;
  const at = (id) => document.getElementById(id);

  function setUp(store) {
    const { facts, selection, state } = store;
    const { columns } = selection;
    for (const id of ["relation-x", "relation-y"]) {
      at(id).append(...columns.map((c) => element("option", { value: c.index }, c.name)));
      at(id).addEventListener("change", refresh);
    }
    at("relation-x").value = state.column.index;
    at("relation-y").value = (columns.find((c) => c !== state.column) || state.column).index;
    for (const radio of document.getElementsByName("relation-of")) radio.addEventListener("change", refresh);
    const table = window.dfsynthReport.bytesOf(facts.colours.cividis);
    const canvas = element("canvas", { width: SIDE, height: SIDE });
    const place = at("relation-chart");
    let drawn = {};
    let counted = "";
    let later = null;

    function refresh() {
      window.dfsynthCharts.update(place);
    }

    function span(column) {
      return [column.low, column.low + column.bars * column.width];
    }

    function compute() {
      const x = columns[at("relation-x").value];
      const y = columns[at("relation-y").value];
      const of = [...document.getElementsByName("relation-of")].find((radio) => radio.checked).value;
      const [left, right] = span(x);
      const [low, high] = span(y);
      drawn = {
        canvas, xRange: [left, right], yRange: [low, high], xLabel: label(x), yLabel: label(y),
        mark: { x: state.column === x ? state.threshold : null, y: state.column === y ? state.threshold : null },
      };
      const asked = [x.index, y.index, of].join();
      if (of === "all" && asked === counted) return;
      counted = asked;
      const counts = new Uint32Array(SIDE * SIDE);
      const known = [];
      for (let i = 0; i < x.values.length; i++) {
        if (of !== "all" && Boolean(selection.kept[i]) !== (of === "kept")) continue;
        if (!Number.isFinite(x.values[i]) || !Number.isFinite(y.values[i])) continue;
        known.push(i);
        const column = Math.min(Math.max(Math.floor(((x.values[i] - left) / (right - left)) * SIDE), 0), SIDE - 1);
        const row = Math.min(Math.max(Math.floor(((y.values[i] - low) / (high - low)) * SIDE), 0), SIDE - 1);
        counts[(SIDE - 1 - row) * SIDE + column]++;
      }
      paint(counts);
      at("relation-text").textContent = `${whole(known.length)} ${facts.holds}; brighter squares hold more.`;
      // Sorting takes longer than a slider may.
      clearTimeout(later);
      later = setTimeout(() => showCorrelation(x, y, known), WAIT_MS);
    }

    function showCorrelation(x, y, known) {
      const r = correlation(x.values, y.values, known);
      at("relation-text").textContent += ` Rank correlation ${r === null ? "not defined" : r.toFixed(2)}.`;
    }

    function paint(counts) {
      const context = canvas.getContext("2d");
      const image = context.createImageData(SIDE, SIDE);
      const most = Math.log1p(counts.reduce((a, b) => Math.max(a, b), 1));
      for (let i = 0; i < counts.length; i++) {
        if (!counts[i]) continue;
        const at = Math.round((Math.log1p(counts[i]) / most) * 255);
        image.data.set([table[3 * at], table[3 * at + 1], table[3 * at + 2], 255], 4 * i);
      }
      context.putImageData(image, 0, 0);
    }

    function label(column) {
      return column.unit ? `${column.name} (${column.unit})` : column.name;
    }

    compute();
    window.dfsynthCharts.density(place, () => drawn);
    const redraw = place.refresh;
    place.refresh = () => { compute(); redraw(); };
    return refresh;
  }

  /** Spearman's, over the images of these positions; equal values share the mean of their ranks. */
  function correlation(x, y, positions) {
    const n = positions.length;
    if (n < 3) return null;
    const ranksOf = (values) => {
      const keys = Float64Array.from(positions, (p) => values[p]);
      const sorted = Float64Array.from(keys).sort();
      // The middle of the places that equal values take.
      return keys.map((v) => (first(sorted, v, false) + first(sorted, v, true) - 1) / 2);
    };
    const a = ranksOf(x);
    const b = ranksOf(y);
    const mean = (n - 1) / 2;
    let ab = 0, aa = 0, bb = 0;
    for (let i = 0; i < n; i++) {
      ab += (a[i] - mean) * (b[i] - mean);
      aa += (a[i] - mean) ** 2;
      bb += (b[i] - mean) ** 2;
    }
    return aa && bb ? ab / Math.sqrt(aa * bb) : null;
  }

  function first(sorted, value, after) {
    let low = 0, high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle] < value || (after && sorted[middle] === value)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  return { setUp };
})();
