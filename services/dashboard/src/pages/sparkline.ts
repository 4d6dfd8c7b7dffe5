/** Visits over time as bars: how many fell into each of equally long parts of a span. */
export function visitBars(visitTimes: string[], fromMs: number, toMs: number, bars: number): number[] {
  const counts = Array.from({ length: bars }, () => 0);
  const spanMs = Math.max(toMs - fromMs, 1);
  for (const iso of visitTimes) {
    const share = (Date.parse(iso) - fromMs) / spanMs;
    if (share < 0 || share > 1) continue;
    counts[Math.min(Math.floor(share * bars), bars - 1)]! += 1;
  }
  return counts;
}
