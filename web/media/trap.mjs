// Makes the real module trap when asked to: one of its functions is replaced by one that runs into a real `unreachable`.

// (module (func (export "trap") unreachable))
const TRAP = Uint8Array.from([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 8, 1, 4, 116, 114, 97, 112, 0, 0, 10, 5, 1, 3, 0, 0, 11,
]);

/** `traps.next = n`: the n-th call from then on of a function whose name contains `name` traps. */
export function trapping(name) {
  const { trap } = new WebAssembly.Instance(new WebAssembly.Module(TRAP)).exports;
  const traps = { next: 0, instances: 0 };
  const instantiate = (module, imports) => {
    const { exports } = new WebAssembly.Instance(module, imports);
    const found = Object.keys(exports).filter((key) => key.includes(name) && !key.startsWith('cabi_post'));
    if (found.length === 0) return { exports };
    traps.instances += 1;
    const replaced = { ...exports };
    for (const key of found) {
      replaced[key] = (...args) => {
        if (traps.next > 0 && --traps.next === 0) trap();
        return exports[key](...args);
      };
    }
    return { exports: replaced };
  };
  return { traps, instantiate };
}
