/** What each signal ends. One listener does for all of them: Node warns of a leak from the eleventh on. */
const endings = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `end` once `signal` is aborted, unless the function that it gives was called before. */
export function onAbort(signal: AbortSignal | undefined, end: () => void): () => void {
  if (signal === undefined) return () => undefined;
  const ends = endings.get(signal) ?? listen(signal);
  // Under a function of its own: `end` may be waited with twice.
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
