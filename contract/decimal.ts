/**
 * Whether `value` is a multiple of `step`, computed in decimal. So 19.99 is a multiple of 0.01, although their binary
 * quotient is not an integer.
 */
export function isMultiple(value: number, step: number): boolean {
  const [a, b] = [decimalOf(value), decimalOf(step)];
  if (a === undefined || b === undefined) return true;
  const shift = a.exponent - b.exponent;
  const digits = shift > 0 ? a.digits * 10n ** BigInt(shift) : a.digits;
  const divisor = shift < 0 ? b.digits * 10n ** BigInt(-shift) : b.digits;
  return divisor === 0n || digits % divisor === 0n;
}

/** `count * step`, computed in decimal. */
export function multiple(count: number, step: number): number {
  const decimal = decimalOf(step);
  return decimal === undefined
    ? count * step
    : Number(`${String(BigInt(count) * decimal.digits)}e${String(decimal.exponent)}`);
}

function decimalOf(value: number): { digits: bigint; exponent: number } | undefined {
  const match = /^(-?\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/.exec(String(value));
  if (match === null) return undefined;
  const [, whole = '0', fraction = '', power = '0'] = match;
  return { digits: BigInt(whole + fraction), exponent: Number(power) - fraction.length };
}
