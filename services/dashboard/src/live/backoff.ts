/** How long to wait before attempt number *attempt* (from 0): doubling to a cap, the upper half random. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(10_000, 500 * 2 ** attempt);
  return ceiling / 2 + random() * (ceiling / 2);
}
