import { emotionWords } from "../words";

export interface StackedBar {
  key: string | number;
  title: string;
  /** Of the highest bar, 0 to 1. */
  height: number;
  parts: [look: string, value: number][];
  /** Something was seen here that is not told. */
  withheld?: boolean;
}

/** Looks over time, a bar for each stretch. */
export function StackedBars({
  bars,
  label,
  ends,
}: {
  bars: StackedBar[];
  label: string;
  ends: [string, string];
}) {
  return (
    <figure className="looks-chart">
      <div className="looks-chart__bars" role="img" aria-label={label}>
        {bars.map(({ key, title, height, parts, withheld }) => (
          <span key={key} title={title} className={withheld ? "looks-chart__withheld" : undefined}>
            {parts.length > 0 && (
              <i style={{ height: `${Math.max(100 * height, 4)}%` }}>
                {parts.map(([look, value]) => (
                  <b key={look} className={`mood--${look}`} style={{ flexGrow: value }} />
                ))}
              </i>
            )}
          </span>
        ))}
      </div>
      <p className="histogram__ends" aria-hidden="true">
        <span>{ends[0]}</span>
        <span>{ends[1]}</span>
      </p>
    </figure>
  );
}

/** What the colours mean, with shares where there are any. */
export function LooksLegend({ shares }: { shares: [look: string, share: number][] }) {
  return (
    <ul className="looks-legend">
      {shares.map(([look, share]) => (
        <li key={look}>
          <span className={`looks-legend__colour mood--${look}`} />
          {emotionWords(look)} <strong>{Math.round(share * 100)} %</strong>
        </li>
      ))}
    </ul>
  );
}
