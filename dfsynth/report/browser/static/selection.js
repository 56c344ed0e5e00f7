// Which images a threshold keeps, as `dfsynth filter` keeps them. No drawing here.
"use strict";
window.dfsynthSelection = (() => {
  const MISSING = 255;

  /** The bar of each value (images); 255 where there is none. */
  function barsOf(values, facts) {
    const bars = new Uint8Array(values.length);
    for (let i = 0; i < values.length; i++) {
      const at = Math.floor((values[i] - facts.low) / facts.width + 1e-9);
      bars[i] = Number.isFinite(values[i]) ? Math.min(Math.max(at, 0), facts.bars - 1) : MISSING;
    }
    return bars;
  }

  class Selection {
    constructor(facts, arrays) {
      this.finished = facts.finished;
      this.columns = facts.numbers.map((column, index) => {
        const values = arrays(`number-${index}`);
        return { ...column, index, values, barOf: barsOf(values, column) };
      });
      this.groups = facts.groups.map((group, index) => ({
        ...group, index, codes: arrays(`group-${index}`), offsets: arrays(`group-${index}-offsets`),
      }));
      this.hasLung = new Uint8Array(this.finished).fill(1);
      for (const position of arrays("no-lung") || []) this.hasLung[position] = 0;
      this.kept = new Uint8Array(this.finished);
      this.everything = new Uint8Array(this.finished).fill(1);
      this.count = 0;
    }

    /**
     * Keeps what lies at or below the threshold ("low"), or at or above it ("high").
     *
     * DuckDB casts a decimal to the column's float32 before it compares: so does this.
     */
    choose(column, threshold, direction, withoutLung) {
      const { values } = column;
      const { kept, hasLung } = this;
      const at = Math.fround(threshold);
      let count = 0;
      for (let i = 0; i < values.length; i++) {
        const passes = direction === "low" ? values[i] <= at : values[i] >= at;
        kept[i] = passes && (withoutLung || hasLung[i]) ? 1 : 0;
        count += kept[i];
      }
      this.count = count;
    }

    /** How many images of a mask each bar of a column holds. */
    histogram(column, mask) {
      const counts = new Uint32Array(256);
      const { barOf } = column;
      for (let i = 0; i < barOf.length; i++) counts[barOf[i]] += mask[i];
      return counts.subarray(0, column.bars);
    }

    /** How many images of a mask each label of a group has. */
    countGroup(group, mask) {
      const counts = new Uint32Array(group.labels.length);
      const { codes, offsets } = group;
      if (!offsets) {
        for (let i = 0; i < codes.length; i++) counts[codes[i]] += mask[i];
        return counts;
      }
      for (let i = 0; i + 1 < offsets.length; i++) {
        if (!mask[i]) continue;
        for (let at = offsets[i]; at < offsets[i + 1]; at++) counts[codes[at]]++;
      }
      return counts;
    }

    /** Whether an image has a label of a group. */
    belongs(group, label, position) {
      const { codes, offsets } = group;
      if (!offsets) return codes[position] === label;
      for (let at = offsets[position]; at < offsets[position + 1]; at++) {
        if (codes[at] === label) return true;
      }
      return false;
    }

    /** The numbers of a column, ascending, of one label of a group. */
    sorted(column, group, label) {
      const { values } = column;
      const found = [];
      for (let i = 0; i < values.length; i++) {
        if (Number.isFinite(values[i]) && this.belongs(group, label, i)) found.push(values[i]);
      }
      return Float32Array.from(found).sort();
    }

    /** The threshold on the column's grid that keeps at least this share of the finished images. */
    thresholdOf(column, share, direction, withoutLung) {
      const { values } = column;
      const usable = values.filter((v, i) => Number.isFinite(v) && (withoutLung || this.hasLung[i])).sort();
      const wanted = Math.min(Math.max(Math.ceil(share * this.finished), 1), usable.length);
      if (!usable.length) return column.lowest;
      const low = direction === "low";
      const value = low ? usable[wanted - 1] : usable[usable.length - wanted];
      const units = low ? Math.ceil(value / column.step - 1e-9) : Math.floor(value / column.step + 1e-9);
      return Number((units * column.step).toFixed(column.decimals));
    }
  }

  /** The condition as SQL, in plain decimals: DuckDB takes those of another spelling as doubles. */
  function condition(column, text, direction) {
    if (direction === "low") return `${column.name} <= ${text}`;
    const guard = column.hasNan ? `not isnan(${column.name}) and ` : "";
    return `${guard}${column.name} >= ${text}`;
  }

  return { Selection, condition };
})();
