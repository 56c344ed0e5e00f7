// Galleries of the images that have thumbnails: borderline, kept, dropped.
"use strict";
window.dfsynthGallery = (() => {
  const { element, number, whole, tabs } = window.dfsynthFormat;
  const FIRST = 12;
  const KINDS = ["Borderline", "Kept", "Dropped"];
  const at = (id) => document.getElementById(id);

  function setUp(store, viewer) {
    const { facts, selection, state } = store;
    if (!facts.images.length) return { update: () => {}, open: () => {} };
    const images = facts.images.map(([position, row, name, remarks], index) => ({ index, position, row, name, remarks, card: null }));
    let kind = state.column ? 0 : 1;
    let count = FIRST;
    let chosen = [];
    fillGroups(selection);
    at("gallery-group").addEventListener("change", () => { count = FIRST; update(); });
    at("gallery-more").addEventListener("click", () => { count += 2 * FIRST; update(); });
    at("gallery-scales").append(...facts.maps.map((map) => scaleOf(facts, map)));

    function cardOf(image) {
      if (image.card) return image.card;
      const value = element("span", { class: "card-value" });
      const button = element("button", { type: "button", class: "card", onclick: () => viewer.open(chosen, image) },
        element("img", { src: `thumbs/${String(image.row).padStart(7, "0")}.webp`, loading: "lazy", decoding: "async", alt: `${facts.maps.map((m) => m.title).join(", ")} of ${image.name}` }),
        element("span", { class: "card-name" }, image.name),
        value,
        element("span", { class: "card-remarks" }, image.remarks.join(" · ")));
      image.card = element("li", {}, button);
      image.value = value;
      image.button = button;
      return image.card;
    }

    function valueOf(image) {
      return state.column ? state.column.values[image.position] : 0;
    }

    function ordered() {
      const wanted = at("gallery-group").value;
      const [group, label] = wanted ? wanted.split(":").map(Number) : [null, null];
      const isKept = (image) => selection.kept[image.position] === 1;
      const found = images.filter((image) =>
        (group === null || selection.belongs(selection.groups[group], label, image.position)) &&
        (kind === 0 ? Number.isFinite(valueOf(image)) : isKept(image) === (kind === 1)));
      const sign = state.direction === "low" ? 1 : -1;
      const unknownLast = (v) => (Number.isFinite(v) ? v : sign * Infinity);
      const keys = {
        0: (image) => Math.abs(valueOf(image) - state.threshold),
        1: (image) => sign * unknownLast(valueOf(image)),
        2: (image) => -sign * unknownLast(valueOf(image)),
      }[kind];
      return found.map((image) => [keys(image), image]).sort((a, b) => a[0] - b[0] || a[1].row - b[1].row).map((pair) => pair[1]);
    }

    function update() {
      chosen = ordered();
      const shown = chosen.slice(0, count);
      at("cards").replaceChildren(...shown.map(cardOf));
      for (const image of shown) {
        const kept = selection.kept[image.position] === 1;
        image.value.textContent = state.column && `${state.column.name} ${number(valueOf(image))} · ${kept ? "kept" : "dropped"}`;
        image.button.classList.toggle("is-kept", kept);
      }
      const order = state.column ? ["nearest to the threshold first", "best first", "worst first"][kind] : "in the order of the store";
      at("gallery-count").textContent = chosen.length
        ? `${whole(shown.length)} of ${whole(chosen.length)} with thumbnails, ${order}.`
        : "None of the images with thumbnails.";
      at("gallery-more").hidden = shown.length === chosen.length;
    }

    const select = tabs(at("gallery-tabs"), state.column ? KINDS : ["All"], at("gallery-panel"), (index) => {
      kind = state.column ? index : 1;
      count = FIRST;
      update();
    });
    return { update, open: () => select(0) };
  }

  function fillGroups(selection) {
    for (const group of selection.groups) {
      const options = group.labels.slice(0, 60).map((label, n) => element("option", { value: `${group.index}:${n}` }, label));
      at("gallery-group").append(element("optgroup", { label: group.title }, ...options));
    }
  }

  /** A colour bar with its ends. */
  function scaleOf(facts, map) {
    const bar = element("canvas", { width: 256, height: 1, class: "colour-bar", role: "img", "aria-label": `from ${number(map.vmin)} to ${number(map.vmax)}` });
    window.dfsynthViewer.paintBar(bar, window.dfsynthReport.bytesOf(facts.colours[map.colour_map]));
    const unit = map.unit === "1" ? "" : ` ${map.unit}`;
    return element("div", { class: "scale" }, element("span", { class: "scale-title" }, `${map.title}${unit && ` (${map.unit})`}`), bar,
      element("span", { class: "scale-ends" }, element("span", {}, number(map.vmin)), element("span", {}, number(map.vmax))));
  }

  return { setUp };
})();
