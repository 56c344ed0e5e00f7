// A histogram of every score, each with its handle.
"use strict";
window.dfsynthDistributions = (() => {
  const { element } = window.dfsynthFormat;
  const { clear, histogram, update } = window.dfsynthCharts;

  /** The large histogram of the chosen score, and one of every score. */
  function setUp(store) {
    const { selection, state, change } = store;
    const all = selection.columns.map((column) => selection.histogram(column, selection.everything));
    const main = document.getElementById("main-chart");
    let shown = null;

    const countsOf = (column) => () => ({ all: all[column.index], kept: selection.histogram(column, selection.kept) });
    const handleOf = (column) => () => ({ threshold: store.thresholds[column.index], active: state.column === column });

    const multiples = selection.columns.map((column) => {
      const place = element("div", { class: "chart small" });
      const button = element("button", { type: "button", class: "quiet", onclick: () => change({ column }) }, "Choose by it");
      const figure = element("figure", { class: "multiple", title: column.description },
        element("figcaption", {}, element("span", { class: "multiple-name" }, column.name), button), place);
      document.getElementById("multiples").append(figure);
      histogram(place, column, countsOf(column), handleOf(column), (value) => change({ column, threshold: value, dragged: true }), true);
      return { place, figure, button, column };
    });

    return () => {
      if (shown !== state.column) {
        clear(main);
        histogram(main, state.column, countsOf(state.column), handleOf(state.column), (value) => change({ threshold: value, dragged: true }), false);
        shown = state.column;
      }
      main.refresh();
      for (const { place, figure, button, column } of multiples) {
        const active = column === state.column;
        figure.classList.toggle("active", active);
        button.textContent = active ? "chosen" : "Choose by it";
        button.disabled = active;
        update(place);
      }
    };
  }

  return { setUp };
})();
