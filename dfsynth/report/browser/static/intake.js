// Takes what the data scripts hand over. A page from a disk may load scripts and fetch nothing.
"use strict";
window.dfsynthReport = (() => {
  const kinds = {
    float32: Float32Array, uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array,
  };
  const arrays = new Map();
  const facts = new Map();
  const asked = new Map();

  function bytesOf(text) {
    if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
    const letters = atob(text);
    const bytes = new Uint8Array(letters.length);
    for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
    return bytes;
  }

  /** The maps of an image, loaded when they are first asked for. */
  function mapsOf(row) {
    if (!asked.has(row)) {
      const entry = {};
      entry.promise = new Promise((resolve, reject) => {
        entry.resolve = resolve;
        const script = document.createElement("script");
        script.src = `full/${String(row).padStart(7, "0")}.js`;
        script.onerror = () => reject(new Error(`${script.src} cannot be read`));
        script.onload = () => script.remove();
        document.head.append(script);
      });
      asked.set(row, entry);
    }
    return asked.get(row).promise;
  }

  return {
    bytesOf,
    mapsOf,
    takeArray: (name, kind, text) => arrays.set(name, new kinds[kind](bytesOf(text).buffer)),
    takeFacts: (name, found) => facts.set(name, found),
    takeMaps: (found) => asked.get(found.row).resolve(found.maps),
    array: (name) => arrays.get(name),
    facts: (name) => facts.get(name),
  };
})();
