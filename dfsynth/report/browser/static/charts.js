// uPlot with the colours of the page, drawn anew as the theme, the size or the data change.
"use strict";
window.dfsynthCharts = (() => {
  const LEGEND_PX = 90;
  const drawn = new Set();
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  let colours = {};

  function readColours() {
    for (const name of ["ink", "dim", "rule", "all", "kept", "handle", "paper"]) colours[name] = css(`--${name}`);
    colours.lines = [1, 2, 3, 4, 5, 6, 7].map((n) => css(`--line-${n}`));
  }
  readColours();
  window.dfsynthTheme.onChange(() => {
    readColours();
    for (const chart of drawn) chart.redraw(false);
  });

  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      target.isSeen = isIntersecting;
      if (isIntersecting && target.isStale) target.refresh();
    }
  }, { rootMargin: "120px" });
  const sized = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
      const chart = target.chart;
      if (chart && contentRect.width > 0) chart.setSize(sizeOf(target));
    }
  });

  function sizeOf(place) {
    const legend = place.classList.contains("legended") ? LEGEND_PX : 0;
    return { width: Math.max(place.clientWidth, 120), height: Math.max(place.clientHeight - legend, 80) };
  }

  function axis(label, size, values) {
    const grid = { stroke: () => colours.rule, width: 1 };
    return {
      stroke: () => colours.dim, grid, ticks: { ...grid, size: 4 }, font: "11px system-ui, sans-serif",
      label: label || undefined, labelFont: "11px system-ui, sans-serif", labelSize: label ? 18 : 0,
      size, gap: 3, ...(values ? { values } : {}),
    };
  }

  /** What the image shows, for whoever does not see it. */
  function name(place, text) {
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", text);
  }

  /** A chart in `place`; `refresh` brings it up to date, now or when it comes into sight. */
  function make(place, options, data, refresh) {
    const chart = new uPlot({
      ...sizeOf(place), legend: { show: false }, cursor: { show: false }, padding: [8, 10, 0, 0],
      ...options,
    }, data, place);
    place.chart = chart;
    drawn.add(chart);
    sized.observe(place);
    if (refresh) {
      place.refresh = () => { place.isStale = false; refresh(); };
      seen.observe(place);
    }
    return chart;
  }

  /** Takes the chart of a place away. */
  function clear(place) {
    if (!place.chart) return;
    drawn.delete(place.chart);
    place.chart.destroy();
    place.chart = null;
    place.replaceChildren();
  }

  /** Brings a chart up to date if anybody can see it. */
  function update(place) {
    if (place.isSeen) place.refresh();
    else place.isStale = true;
  }

  function upright(chart, value, colour, width, dash) {
    if (value === null || !Number.isFinite(value)) return;
    const { ctx, bbox } = chart;
    const x = Math.round(chart.valToPos(value, "x", true));
    if (x < bbox.left - 1 || x > bbox.left + bbox.width + 1) return;
    ctx.save();
    ctx.strokeStyle = colour;
    ctx.fillStyle = colour;
    ctx.lineWidth = width * devicePixelRatio;
    ctx.setLineDash((dash || []).map((n) => n * devicePixelRatio));
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    if (!dash) {
      ctx.beginPath();
      ctx.arc(x, bbox.top + 6 * devicePixelRatio, 5 * devicePixelRatio, 0, 2 * Math.PI);
      ctx.fill();
    }
    ctx.restore();
  }

  /**
   * A histogram of one column: all images, those kept, and the handle of the threshold.
   *
   * `counts()` gives {all, kept} of the bars, `handle()` {threshold, active}; `drag(value)` takes
   * where the handle is put.
   */
  function histogram(place, column, counts, handle, drag, isSmall) {
    name(place, `Distribution of ${column.name}`);
    const edges = Array.from({ length: column.bars }, (_, i) => column.low + i * column.width);
    const end = column.low + column.bars * column.width;
    const bars = uPlot.paths.bars({ size: [1, 400], align: 1, gap: isSmall ? 0 : 1 });
    const fill = (name) => ({
      paths: bars, points: { show: false }, width: 0,
      stroke: () => colours[name], fill: () => colours[name],
    });
    const thousands = (chart, found) => found.map((v) => (v >= 10000 ? `${v / 1000}k` : v));
    const chart = make(place, {
      scales: { x: { time: false, range: [column.low, end] }, y: { range: (u, low, high) => [0, Math.max(high, 1)] } },
      axes: [axis("", isSmall ? 22 : 26), axis("", isSmall ? 36 : 46, thousands)],
      series: [{}, fill("all"), fill("kept")],
      hooks: {
        draw: [(u) => {
          const { threshold, active } = handle();
          upright(u, threshold, active ? colours.handle : colours.dim, active ? 2 : 1, active ? null : [4, 3]);
        }],
      },
    }, [edges, new Array(column.bars).fill(0), new Array(column.bars).fill(0)], () => {
      const { all, kept } = counts();
      chart.setData([edges, all, kept]);
    });
    const over = chart.over;
    const put = (event) => {
      const box = over.getBoundingClientRect();
      drag(chart.posToVal(event.clientX - box.left, "x"));
    };
    over.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      over.setPointerCapture(event.pointerId);
      put(event);
    });
    over.addEventListener("pointermove", (event) => {
      if (over.hasPointerCapture(event.pointerId)) put(event);
    });
    return chart;
  }

  /** Lines over a common x; `lines` are {label, values, colour, dash, width, band}. */
  function lines(place, options) {
    name(place, `${options.yLabel} against ${options.xLabel}`);
    const { x, lines: found, xLabel, yLabel, xRange, yRange, yLog, marks, legend } = options;
    const free = yRange && yRange[1] === null ? (u, low, high) => [yRange[0], high * 1.08] : yRange;
    const series = found.map((line, n) => ({
      label: line.label, dash: line.dash, width: line.width ?? 2, spanGaps: true,
      stroke: () => line.colour ? colours[line.colour] : colours.lines[(line.number ?? n) % colours.lines.length],
      points: { show: Boolean(line.points), size: 7 },
      value: (u, v) => window.dfsynthFormat.number(v),
    }));
    const bands = found.flatMap((line, n) => (line.band ? [{ series: [n + 1 + line.band[0], n + 1 + line.band[1]], fill: () => `${colours.kept}30` }] : []));
    return make(place, {
      scales: { x: { time: false, range: xRange }, y: yLog ? { distr: 3 } : { range: free } },
      axes: [axis(xLabel, 26), axis(yLabel, 48)],
      series: [{ label: xLabel, value: (u, v) => window.dfsynthFormat.number(v) }, ...series],
      bands,
      legend: { show: Boolean(legend) },
      cursor: { show: Boolean(legend), drag: { x: false, y: false }, points: { size: 6 } },
      hooks: { draw: marks ? [(u) => marks(u, colours)] : [] },
    }, [x, ...found.map((line) => line.values)]);
  }

  /** Counts of two columns as an image between axes; `state()` gives its data. */
  function density(place, state) {
    name(place, "How many images lie where, score against score");
    const chart = make(place, {
      scales: { x: { time: false, range: () => state().xRange }, y: { range: () => state().yRange } },
      axes: [axis("across", 28), axis("up", 52)],
      series: [{}, { paths: () => null, points: { show: false } }],
      hooks: {
        drawAxes: [(u) => {
          const found = state();
          const { ctx, bbox } = u;
          ctx.save();
          ctx.imageSmoothingEnabled = false;
          ctx.drawImage(found.canvas, bbox.left, bbox.top, bbox.width, bbox.height);
          ctx.restore();
        }],
        draw: [(u) => {
          const { mark } = state();
          if (mark.x !== null) upright(u, mark.x, colours.handle, 2, [6, 4]);
          if (mark.y !== null) level(u, mark.y);
        }],
      },
    }, [[0, 1], [null, null]], () => {
      const found = state();
      chart.axes[0].label = found.xLabel;
      chart.axes[1].label = found.yLabel;
      chart.setData([found.xRange, [null, null]]);
    });
    return chart;
  }

  function level(chart, value) {
    const { ctx, bbox } = chart;
    const y = Math.round(chart.valToPos(value, "y", true));
    if (y < bbox.top || y > bbox.top + bbox.height) return;
    ctx.save();
    ctx.strokeStyle = colours.handle;
    ctx.lineWidth = 2 * devicePixelRatio;
    ctx.setLineDash([6, 4].map((n) => n * devicePixelRatio));
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.restore();
  }

  return { clear, histogram, lines, density, update, upright };
})();
