// One image in full: its maps with colour bars, and the values under the pointer.
"use strict";
window.dfsynthViewer = (() => {
  const { element, number } = window.dfsynthFormat;
  const at = (id) => document.getElementById(id);

  function paintBar(canvas, table) {
    const context = canvas.getContext("2d");
    const image = context.createImageData(256, 1);
    for (let i = 0; i < 256; i++) image.data.set([table[3 * i], table[3 * i + 1], table[3 * i + 2], 255], 4 * i);
    context.putImageData(image, 0, 0);
  }

  /** The bytes of an exact 8-bit WebP inside a script; a page from a disk may look into no other. */
  async function levelsOf(packed) {
    const image = new Image();
    image.src = `data:image/webp;base64,${packed.webp}`;
    await image.decode();
    const canvas = element("canvas", { width: packed.width, height: packed.height });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, packed.width, packed.height);
    return Uint8Array.from({ length: packed.width * packed.height }, (_, i) => data[4 * i]);
  }

  function setUp(store) {
    const { facts, selection, state } = store;
    const dialog = at("viewer");
    let list = [];
    let current = null;
    let shown = [];
    let cursor = null;

    const stepOf = (packed) => (packed.high - packed.low) / packed.steps;
    const valueAt = (map, i) => (map.levels[i] ? map.packed.low + (map.levels[i] - 1) * stepOf(map.packed) : NaN);

    async function load(image) {
      current = image;
      at("viewer-name").textContent = image.name;
      const verdict = state.column ? [selection.kept[image.position] ? "kept" : "dropped"] : [];
      at("viewer-remarks").textContent = [...verdict, ...image.remarks].join(" · ");
      const index = list.indexOf(image);
      at("viewer-previous").disabled = index <= 0;
      at("viewer-next").disabled = index >= list.length - 1;
      showNumbers(image);
      at("viewer-maps").replaceChildren(element("p", {}, "Loading…"));
      let packed;
      try {
        packed = await window.dfsynthReport.mapsOf(image.row);
      } catch (error) {
        if (current === image) at("viewer-maps").replaceChildren(element("p", { class: "alert" }, `The maps of this image cannot be read: ${error.message}.`));
        return;
      }
      const levels = await Promise.all(packed.map((one) => one && levelsOf(one)));
      if (current !== image) return;
      shown = facts.maps.map((kind, n) => ({ kind, packed: packed[n], levels: levels[n] }));
      cursor = null;
      build();
      paintAll();
    }

    function build() {
      at("viewer-maps").replaceChildren(...shown.map((map) => {
        const { kind } = map;
        if (!map.packed) return element("figure", { class: "map" }, element("figcaption", {}, kind.title), element("div", { class: "blank" }, "not stored"));
        map.canvas = element("canvas", {
          width: map.packed.width, height: map.packed.height, tabindex: 0, role: "application",
          "aria-label": `${kind.title}: arrow keys move the point whose values are read`,
          onpointermove: (event) => point(placeOf(map, event)),
          onpointerdown: (event) => point(placeOf(map, event)),
          onkeydown: (event) => walk(map, event),
        });
        map.bar = element("canvas", { width: 256, height: 1, class: "colour-bar", "aria-hidden": "true" });
        map.low = element("span");
        map.high = element("span");
        map.choice = element("select", { "aria-label": `Colours of ${kind.title}`, onchange: () => paintAll() },
          ...Object.keys(facts.colours).map((name) => element("option", { value: name, selected: name === kind.colour_map }, name)));
        map.readout = element("output", { class: "readout" }, "–");
        map.mark = element("span", { class: "crosshair", hidden: true });
        return element("figure", { class: "map" },
          element("figcaption", {}, element("span", {}, kind.title), map.choice),
          element("div", { class: "canvas-box" }, map.canvas, map.mark),
          map.bar,
          element("div", { class: "scale-ends" }, map.low, element("span", {}, kind.unit === "1" ? "" : kind.unit), map.high),
          map.readout);
      }));
      const known = shown.filter((map) => map.packed);
      at("viewer-precision").textContent = "Values are held in steps between an image's lowest and highest: read to " +
        `${known.map((m) => `± ${number(stepOf(m.packed) / 2)} (${m.kind.title})`).join(", ")}. ` +
        "The store holds them in full.";
    }

    function paintAll() {
      const own = at("viewer-scale").value === "own";
      for (const map of shown) {
        if (!map.packed) continue;
        const low = own ? map.packed.low : map.kind.vmin;
        const high = own ? map.packed.high : map.kind.vmax;
        paint(map, low, high);
        map.low.textContent = number(low);
        map.high.textContent = number(high);
      }
    }

    function paint(map, low, high) {
      const table = window.dfsynthReport.bytesOf(facts.colours[map.choice.value]);
      const context = map.canvas.getContext("2d");
      const image = context.createImageData(map.canvas.width, map.canvas.height);
      // 256 levels only: their colours first.
      const colourOf = Array.from({ length: 256 }, (_, level) => {
        if (!level) return [90, 90, 90];
        const value = map.packed.low + (level - 1) * stepOf(map.packed);
        const n = high > low ? Math.round(Math.min(Math.max((value - low) / (high - low), 0), 1) * 255) : 0;
        return [table[3 * n], table[3 * n + 1], table[3 * n + 2]];
      });
      for (let i = 0; i < map.levels.length; i++) {
        const [r, g, b] = colourOf[map.levels[i]];
        image.data[4 * i] = r;
        image.data[4 * i + 1] = g;
        image.data[4 * i + 2] = b;
        image.data[4 * i + 3] = 255;
      }
      context.putImageData(image, 0, 0);
      paintBar(map.bar, table);
    }

    function placeOf(map, event) {
      const box = map.canvas.getBoundingClientRect();
      return {
        x: Math.floor(((event.clientX - box.left) / box.width) * map.canvas.width),
        y: Math.floor(((event.clientY - box.top) / box.height) * map.canvas.height),
      };
    }

    function walk(map, event) {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!step) return;
      event.preventDefault();
      const far = event.shiftKey ? 10 : 1;
      const from = cursor || { x: map.canvas.width >> 1, y: map.canvas.height >> 1 };
      point({ x: from.x + step[0] * far, y: from.y + step[1] * far });
    }

    /** All maps are read at the same pixel. */
    function point({ x, y }) {
      const known = shown.filter((map) => map.packed);
      const { width, height } = known[0].packed;
      cursor = { x: Math.min(Math.max(x, 0), width - 1), y: Math.min(Math.max(y, 0), height - 1) };
      const texts = known.map((map) => {
        const value = valueAt(map, cursor.y * width + cursor.x);
        map.readout.textContent = number(value);
        map.mark.hidden = false;
        map.mark.style.left = `${(100 * (cursor.x + 0.5)) / width}%`;
        map.mark.style.top = `${(100 * (cursor.y + 0.5)) / height}%`;
        return `${map.kind.title} ${number(value)}`;
      });
      at("viewer-place").textContent = `Column ${cursor.x}, row ${cursor.y}: ${texts.join(", ")}`;
    }

    function showNumbers(image) {
      at("viewer-numbers").replaceChildren(...selection.columns.map((column) => element("tr", { title: column.description },
        element("th", { scope: "row" }, column.name),
        element("td", { class: "number" }, number(column.values[image.position])),
        element("td", {}, column.unit || ""))));
    }

    function move(step) {
      const next = list[list.indexOf(current) + step];
      if (next) load(next);
    }

    at("viewer-previous").addEventListener("click", () => move(-1));
    at("viewer-next").addEventListener("click", () => move(1));
    at("viewer-close").addEventListener("click", () => dialog.close());
    at("viewer-scale").addEventListener("change", paintAll);
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    dialog.addEventListener("keydown", (event) => {
      if (event.key === "PageDown") move(1);
      else if (event.key === "PageUp") move(-1);
      else return;
      event.preventDefault();
    });
    return {
      open: (images, image) => {
        list = images;
        dialog.showModal();
        load(image);
      },
    };
  }

  return { setUp, paintBar };
})();
