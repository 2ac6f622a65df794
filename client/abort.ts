/** Callbacks of each signal. All share one listener, because Node warns of a leak from the eleventh listener on. */
const endings = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `end` when `signal` is aborted. Call the returned function to cancel that. */
export function onAbort(signal: AbortSignal | undefined, end: () => void): () => void {
  if (signal === undefined) return () => undefined;
  const ends = endings.get(signal) ?? listen(signal);
  // A new function for each call, because the set would keep the same `end` only once.
  const own = () => {
    end();
  };
  ends.add(own);
  return () => {
    ends.delete(own);
    if (ends.size > 0 || endings.get(signal) !== ends) return;
    endings.delete(signal);
    signal.removeEventListener('abort', abortAll);
  };
}

function listen(signal: AbortSignal): Set<() => void> {
  const ends = new Set<() => void>();
  endings.set(signal, ends);
  signal.addEventListener('abort', abortAll);
  return ends;
}

function abortAll(this: AbortSignal): void {
  for (const end of endings.get(this) ?? []) end();
}
