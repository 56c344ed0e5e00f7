// A table for each kind of group: how many images, how many kept, how the score is spread.
"use strict";
window.dfsynthGroups = (() => {
  const { element, number, percent, whole, tabs } = window.dfsynthFormat;
  const FIRST = 30;
  const MARKS = [0.05, 0.25, 0.5, 0.75, 0.95];
  const at = (id) => document.getElementById(id);

  function setUp(store) {
    const { selection, state } = store;
    if (!selection.groups.length) {
      at("group-panel").append("No image says which groups it belongs to.");
      return () => {};
    }
    const totals = selection.groups.map((group) => selection.countGroup(group, selection.everything));
    let shown = 0;
    let rows = [];
    let spreadOf = null;
    let everyLabel = false;

    function build() {
      const group = selection.groups[shown];
      const count = everyLabel ? group.labels.length : Math.min(group.labels.length, FIRST);
      rows = Array.from({ length: count }, (_, label) => rowOf(group, label));
      const heads = [group.title, "finished", "kept", "share kept", `spread of ${state.column.name}`];
      const table = element("table", { class: "groups" },
        element("thead", {}, element("tr", {}, ...heads.map((name, n) => element("th", { scope: "col", class: n === 1 || n === 2 ? "number" : null }, name)))),
        element("tbody", {}, ...rows.map((row) => row.line)));
      const parts = [element("div", { class: "scroll" }, table)];
      if (group.labels.length > count) {
        parts.push(element("button", { type: "button", onclick: () => { everyLabel = true; build(); update(); } }, `Show all ${whole(group.labels.length)}`));
      }
      if (group.several) parts.push(element("p", { class: "small" }, "An image with several counts under each of them."));
      at("group-panel").replaceChildren(...parts);
      spreadOf = null;
    }

    function rowOf(group, label) {
      const bar = element("span", { class: "bar-fill" });
      const kept = element("td", { class: "number" });
      const share = element("span", { class: "bar-text" });
      const spread = element("td", { class: "spread" });
      const line = element("tr", {},
        element("th", { scope: "row" }, group.labels[label]),
        element("td", { class: "number" }, whole(totals[group.index][label])),
        kept,
        element("td", {}, element("span", { class: "bar" }, bar), share),
        spread);
      return { line, bar, kept, share, spread, label };
    }

    function update() {
      const group = selection.groups[shown];
      const counts = selection.countGroup(group, selection.kept);
      for (const row of rows) {
        const total = totals[shown][row.label];
        row.kept.textContent = whole(counts[row.label]);
        row.share.textContent = percent(counts[row.label], total);
        row.bar.style.width = `${total ? (100 * counts[row.label]) / total : 0}%`;
      }
      if (spreadOf !== state.column) showSpreads(group);
      for (const row of rows) placeHandle(row);
    }

    function showSpreads(group) {
      spreadOf = state.column;
      at("group-panel").querySelector("thead tr").lastElementChild.textContent = `spread of ${state.column.name}`;
      for (const row of rows) {
        const values = selection.sorted(state.column, group, row.label);
        row.spread.replaceChildren(...(values.length ? [spreadBox(values)] : ["–"]));
      }
    }

    function spreadBox(values) {
      const marks = MARKS.map((q) => values[Math.min(Math.floor(q * values.length), values.length - 1)]);
      const left = (v) => `${100 * Math.min(Math.max(positionOf(v), 0), 1)}%`;
      const box = element("span", {
        class: "box", role: "img",
        "aria-label": `5 %: ${number(marks[0])}, median ${number(marks[2])}, 95 %: ${number(marks[4])}`,
        title: `5 %: ${number(marks[0])}, 25 %: ${number(marks[1])}, median ${number(marks[2])}, 75 %: ${number(marks[3])}, 95 %: ${number(marks[4])}`,
      });
      const parts = [["whisker", 0, 4], ["middle", 1, 3], ["median", 2, 2]].map(([name, from, to]) => {
        const part = element("span", { class: name });
        part.style.left = left(marks[from]);
        if (to !== from) part.style.width = `calc(${left(marks[to])} - ${left(marks[from])})`;
        return part;
      });
      box.append(...parts, element("span", { class: "at" }));
      return box;
    }

    function positionOf(value) {
      const { column } = state;
      return (value - column.low) / (column.bars * column.width);
    }

    function placeHandle(row) {
      const handle = row.spread.querySelector(".at");
      if (handle) handle.style.left = `${100 * Math.min(Math.max(positionOf(state.threshold), 0), 1)}%`;
    }

    const select = tabs(at("group-tabs"), selection.groups.map((g) => g.title), at("group-panel"), (index) => {
      shown = index;
      everyLabel = false;
      build();
      if (state.column) update();
    });
    return { update, open: () => select(0) };
  }

  return { setUp };
})();
