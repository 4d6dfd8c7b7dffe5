import { visitBars } from "./sparkline";

const BARS = 14;
const [BAR, GAP, HEIGHT] = [7, 2, 24];

/** When somebody was here, over the days that strangers are remembered. */
export function VisitSparkline({ visitTimes, days }: { visitTimes: string[]; days: number }) {
  const now = Date.now();
  const counts = visitBars(visitTimes, now - days * 86_400_000, now, BARS);
  const most = Math.max(...counts, 1);
  const span = days >= 1 ? `${Math.round(days)} days` : `${Math.round(days * 24)} hours`;
  return (
    <svg
      className="sparkline"
      viewBox={`0 0 ${BARS * (BAR + GAP) - GAP} ${HEIGHT}`}
      role="img"
      aria-label={`Visits over the last ${span}: ${counts.join(", ")}`}
    >
      <title>{`Visits over the last ${span}, the latest on the right`}</title>
      {counts.map((count, index) => {
        const height = count === 0 ? 2 : 5 + (count / most) * (HEIGHT - 5);
        return (
          <rect
            // Bars have no identity but their place.
            key={index}
            className={count === 0 ? "sparkline__none" : undefined}
            x={index * (BAR + GAP)}
            y={HEIGHT - height}
            width={BAR}
            height={height}
            rx={1.5}
          />
        );
      })}
    </svg>
  );
}
