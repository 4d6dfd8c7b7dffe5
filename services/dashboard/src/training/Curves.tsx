import { figureWords, roundUp, type Chart } from "./training";

const WIDTH = 400;
const HEIGHT = 190;
const LEFT = 42;
const RIGHT = 8;
const TOP = 10;
const BOTTOM = 24;

/** A figure after each epoch, for what is learnt from and for what is not. */
export function CurveChart({ chart, epochs }: { chart: Chart; epochs: number }) {
  const values = chart.lines.flatMap(({ points }) => points.map(([, value]) => value));
  const isShare = chart.name !== "loss" && values.every((value) => value >= 0 && value <= 1);
  const top = isShare ? 1 : roundUp(Math.max(...values));
  const last = Math.max(epochs, 2);
  const x = (epoch: number) => LEFT + ((epoch - 1) / (last - 1)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number) => TOP + (1 - Math.min(value / top, 1)) * (HEIGHT - TOP - BOTTOM);
  const latest = chart.lines.map(({ label, points }) => ({ label, value: points.at(-1)?.[1] ?? 0 }));
  return (
    <figure className="curve" data-testid={`curve-${chart.name}`}>
      <figcaption>
        <strong>{chart.name.replace(/^./, (first) => first.toUpperCase()).replaceAll("_", " ")}</strong>
        {latest.map(({ label, value }) => (
          <span key={label} className={`curve__key curve__key--${label}`}>
            {label} {isShare ? `${(100 * value).toFixed(1)} %` : figureWords(value)}
          </span>
        ))}
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${chart.name} by epoch`}>
        {[0, 0.5, 1].map((share) => (
          <g key={share}>
            <line
              className="curve__grid"
              x1={LEFT}
              x2={WIDTH - RIGHT}
              y1={y(share * top)}
              y2={y(share * top)}
            />
            <text className="curve__tick" x={LEFT - 7} y={y(share * top) + 4} textAnchor="end">
              {isShare ? `${100 * share} %` : Number((share * top).toPrecision(2))}
            </text>
          </g>
        ))}
        <text className="curve__tick" x={LEFT} y={HEIGHT - 6}>
          1
        </text>
        <text className="curve__tick" x={WIDTH - RIGHT} y={HEIGHT - 6} textAnchor="end">
          epoch {last}
        </text>
        {chart.lines.map(({ label, points }) => (
          <g key={label} className={`curve__line curve__line--${label}`}>
            <polyline points={points.map(([epoch, value]) => `${x(epoch)},${y(value)}`).join(" ")} />
            <circle cx={x(points.at(-1)?.[0] ?? 1)} cy={y(points.at(-1)?.[1] ?? 0)} r="3" />
          </g>
        ))}
      </svg>
    </figure>
  );
}
