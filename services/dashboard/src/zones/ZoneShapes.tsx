import type { Zone } from "../api/types";
import { Store } from "../app/store";
import { middle, type Point } from "./editing";

/** Whether zones are drawn lightly over live pictures. */
export const zonesShown = new Store(false);

export const zoneWords = (zone: Pick<Zone, "ignores">): string =>
  zone.ignores === "everything" ? "Everything ignored" : "Movement ignored";

export const polygonPoints = (points: Zone["points_xy"]): string =>
  points.map(([x, y]) => `${x},${y}`).join(" ");

export const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;

/** A camera's zones over its picture, to look at. */
export function ZoneShapes({ zones }: { zones: readonly Zone[] }) {
  return (
    <div className="zones" aria-hidden="true">
      <svg viewBox="0 0 1 1" preserveAspectRatio="none">
        {zones.map((zone, index) => (
          <polygon
            key={index}
            className={`zone zone--${zone.ignores}`}
            points={polygonPoints(zone.points_xy)}
          />
        ))}
      </svg>
      {zones.map((zone, index) => (
        <ZoneLabel key={index} zone={zone} />
      ))}
    </div>
  );
}

export function ZoneLabel({ zone }: { zone: Zone }) {
  const [x, y] = middle(zone.points_xy as Point[]);
  return (
    <span className="zone__label" style={{ left: percent(x), top: percent(y) }}>
      {zoneWords(zone)}
    </span>
  );
}
