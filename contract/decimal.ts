/**
 * Whether a number is a multiple of another, both taken as the decimals that they are written as: 19.99 is one of 0.01,
 * though no quotient of binary fractions says so.
 */
export function isMultiple(value: number, step: number): boolean {
  const [a, b] = [decimalOf(value), decimalOf(step)];
  if (a === undefined || b === undefined) return true;
  const shift = a.exponent - b.exponent;
  // Beyond this one of them is without weight, and the power of ten would be longer than it is worth.
  if (Math.abs(shift) > 700) return shift > 0;
  const digits = shift > 0 ? a.digits * 10n ** BigInt(shift) : a.digits;
  const divisor = shift < 0 ? b.digits * 10n ** BigInt(-shift) : b.digits;
  return divisor === 0n || digits % divisor === 0n;
}

/** How many steps, as the decimal that they make. */
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
