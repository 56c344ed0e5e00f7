// The page of a store: one state, and everybody who shows it.
"use strict";
(() => {
  const report = window.dfsynthReport;
  const facts = report.facts("report");
  const selection = new window.dfsynthSelection.Selection(facts, report.array);
  const START_SHARE = 0.8;
  const GALLERY_WAITS_MS = 90;

  if (!selection.columns.length) {
    // Nothing to choose by: every image is shown, and none is called kept.
    const bare = { facts, selection, state: { column: null } };
    selection.kept.fill(1);
    window.dfsynthGallery.setUp(bare, window.dfsynthViewer.setUp(bare)).open();
    return;
  }

  const preferred = (column) => (column.unusual === "low" ? "high" : "low");
  const thresholds = selection.columns.map((c) => selection.thresholdOf(c, START_SHARE, preferred(c), false));
  const directions = selection.columns.map(preferred);
  const state = { column: null, threshold: 0, text: "", direction: "low", withoutLung: false, promise: null };
  const store = { facts, selection, state, thresholds, change };

  /** A threshold on the column's grid, and the decimal that commands have for it. */
  function settle(value, column) {
    const units = Math.round(value / column.step);
    const onGrid = Number((units * column.step).toFixed(column.decimals));
    // What somebody typed, or a promise, need not lie on the grid.
    const exact = Math.abs(onGrid - value) < 1e-9 * Math.max(Math.abs(value), column.step);
    const text = exact ? onGrid.toFixed(column.decimals) : plainDecimal(value);
    return { threshold: Number(text), text };
  }

  /** Without an exponent: DuckDB takes 1e-5 as a double, and compares as such. */
  function plainDecimal(value) {
    const text = String(value);
    if (!text.includes("e")) return text;
    return value.toFixed(20).replace(/0+$/, "").replace(/\.$/, "");
  }

  let asked = null;
  function change(changes) {
    const column = changes.column || state.column;
    if (changes.direction) directions[column.index] = changes.direction;
    if ("threshold" in changes) {
      const snapped = changes.dragged ? Math.round(changes.threshold / column.step) * column.step : changes.threshold;
      thresholds[column.index] = snapped;
    }
    Object.assign(state, { column, direction: directions[column.index], promise: changes.promise || null });
    if ("withoutLung" in changes) state.withoutLung = changes.withoutLung;
    Object.assign(state, settle(thresholds[column.index], column));
    thresholds[column.index] = state.threshold;
    selection.choose(column, state.threshold, state.direction, state.withoutLung);
    // Several moves of a handle between two frames are drawn once.
    if (asked === null) asked = requestAnimationFrame(() => { asked = null; show(); });
  }
  state.column = selection.columns.find((c) => c.name === facts.default) || selection.columns[0];

  const viewer = window.dfsynthViewer.setUp(store);
  const groups = window.dfsynthGroups.setUp(store);
  const gallery = window.dfsynthGallery.setUp(store, viewer);
  const showThreshold = window.dfsynthThreshold.setUp(store);
  const showDistributions = window.dfsynthDistributions.setUp(store);
  change({});
  const showRelation = window.dfsynthRelation.setUp(store);
  let later = null;

  function show() {
    showThreshold();
    showDistributions();
    groups.update();
    showRelation();
    // The images follow when the handle rests.
    clearTimeout(later);
    later = setTimeout(() => { later = null; gallery.update(); }, GALLERY_WAITS_MS);
  }

  /** Resolves when all that was asked for is shown: for tests and for measuring. */
  window.dfsynthSettled = () => new Promise((resolve) => {
    const look = () => (asked === null && later === null ? resolve(state.text) : setTimeout(look, 5));
    look();
  });
  groups.open();
  gallery.open();
})();
