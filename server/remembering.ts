/** The most texts that are remembered. When the memory is full, it begins anew, so that foreign texts cannot fill it for good. */
const MOST = 1_000;
/** Characters. A longer text is not remembered. */
const LONGEST = 64;

/** Returns `convert` with a memory of its results, for a conversion that takes longer than a look-up and often gets the same texts. */
export function remembering<Result>(convert: (text: string) => Result): (text: string) => Result {
  const known = new Map<string, Result>();
  return (text) => {
    let result = known.get(text);
    if (result !== undefined) return result;
    result = convert(text);
    if (text.length > LONGEST) return result;
    if (known.size >= MOST) known.clear();
    known.set(text, result);
    return result;
  };
}
