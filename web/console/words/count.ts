/** A number with its noun. */
export function count(number: number, one: string, many: string): string {
  return `${number.toLocaleString()} ${number === 1 ? one : many}`;
}

export const countTokens = (number: number): string => count(number, 'token', 'tokens');
