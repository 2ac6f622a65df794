// @ts-check

const MIB = 2 ** 20;

/** The sampled series, and how much each may grow in ten minutes. */
export const SERIES = /** @type {const} */ ([
  { name: 'memory', label: 'memory, MiB', unit: MIB, most: 1 },
  { name: 'heap', label: "V8's heap, MiB", unit: MIB, most: 1 },
  { name: 'files', label: 'open files', unit: 1, most: 1 },
  { name: 'log', label: 'write-ahead log, MiB', unit: MIB, most: 1 },
  { name: 'p99', label: 'p99, ms', unit: 1, most: 5 },
  { name: 'rate', label: 'requests/s', unit: 1, most: undefined },
]);
