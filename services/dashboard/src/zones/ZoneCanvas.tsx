import { useRef, useState, type Dispatch, type KeyboardEvent, type PointerEvent } from "react";
import type { Zone } from "../api/types";
import { between, isLargeEnough, MOST_CORNERS, type Editing, type Point, type Step } from "./editing";
import { percent, polygonPoints, ZoneLabel, ZoneShapes, zoneWords } from "./ZoneShapes";

const ARROWS: Record<string, Point> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
const NUDGE = 0.01;
const CLOSES_WITHIN_PX = 14;

interface Props {
  state: Editing;
  dispatch: Dispatch<Step>;
}

/** What a pointer holds: a corner, or a zone at the place where it was taken. */
type Held = { zone: number; corner: number } | { zone: number; at: Point };

/** The zones over the picture, to be drawn, dragged and nudged. */
export function ZoneCanvas({ state, dispatch }: Props) {
  const board = useRef<HTMLDivElement>(null);
  const [held, setHeld] = useState<Held | null>(null);
  const [cursor, setCursor] = useState<Point | null>(null);

  const place = (event: PointerEvent): Point => {
    const box = board.current!.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  const hold = (event: PointerEvent, what: Held) => {
    event.stopPropagation();
    board.current?.setPointerCapture(event.pointerId);
    dispatch({ kind: "select", zone: what.zone });
    dispatch({ kind: "grab" });
    setHeld(what);
  };
  const move = (event: PointerEvent) => {
    const to = place(event);
    setCursor(to);
    if (!held) return;
    if ("corner" in held) return dispatch({ kind: "drag_corner", ...held, to });
    dispatch({ kind: "drag_zone", zone: held.zone, by: [to[0] - held.at[0], to[1] - held.at[1]] });
    setHeld({ zone: held.zone, at: to });
  };
  const press = (event: PointerEvent) => {
    if (!state.drawing) return dispatch({ kind: "select", zone: null });
    const box = board.current!.getBoundingClientRect();
    const [x, y] = place(event);
    const first = state.drawing[0];
    const closes =
      first && Math.hypot((x - first[0]) * box.width, (y - first[1]) * box.height) < CLOSES_WITHIN_PX;
    dispatch(closes && isLargeEnough(state.drawing) ? { kind: "finish" } : { kind: "add_point", at: [x, y] });
  };
  const zone = state.selected === null ? undefined : state.zones[state.selected];

  return (
    <div
      ref={board}
      className={`zones zones--edited ${state.drawing ? "zones--drawing" : ""}`}
      data-testid="zone-canvas"
      onPointerDown={press}
      onPointerMove={move}
      onPointerUp={() => setHeld(null)}
      onPointerCancel={() => setHeld(null)}
      onPointerLeave={() => setCursor(null)}
    >
      {state.drawing ? (
        <Drawing points={state.drawing} cursor={cursor} zones={state.zones} />
      ) : (
        <>
          <svg viewBox="0 0 1 1" preserveAspectRatio="none">
            {state.zones.map((shape, index) => (
              <polygon
                key={index}
                className={`zone zone--${shape.ignores} ${index === state.selected ? "zone--selected" : ""}`}
                points={polygonPoints(shape.points_xy)}
                role="button"
                tabIndex={0}
                aria-label={`Zone ${index + 1}: ${zoneWords(shape)}. Arrow keys move it, Delete removes it.`}
                aria-pressed={index === state.selected}
                onPointerDown={(event) => hold(event, { zone: index, at: place(event) })}
                onFocus={() => dispatch({ kind: "select", zone: index })}
                onKeyDown={(event) => {
                  const by = nudgeOf(event);
                  if (by) {
                    dispatch({ kind: "grab" });
                    dispatch({ kind: "drag_zone", zone: index, by });
                  } else if (isDelete(event)) dispatch({ kind: "remove_zone", zone: index });
                }}
              />
            ))}
          </svg>
          {state.zones.map((shape, index) => (
            <ZoneLabel key={index} zone={shape} />
          ))}
          {zone && state.selected !== null && (
            <Corners zone={zone} index={state.selected} dispatch={dispatch} hold={hold} />
          )}
        </>
      )}
    </div>
  );
}

interface CornersProps {
  zone: Zone;
  index: number;
  dispatch: Dispatch<Step>;
  hold: (event: PointerEvent, what: Held) => void;
}

/** The corners of the selected zone, and on each of its edges a place to pull out another. */
function Corners({ zone, index, dispatch, hold }: CornersProps) {
  const points = zone.points_xy as Point[];
  return (
    <>
      {points.map((point, corner) => (
        <button
          key={`corner-${corner}`}
          type="button"
          className="zone__corner"
          style={{ left: percent(point[0]), top: percent(point[1]) }}
          aria-label={`Corner ${corner + 1} of ${points.length}. Arrow keys move it, Delete removes it.`}
          onPointerDown={(event) => hold(event, { zone: index, corner })}
          onKeyDown={(event) => {
            const by = nudgeOf(event);
            if (by) {
              dispatch({ kind: "grab" });
              dispatch({
                kind: "drag_corner",
                zone: index,
                corner,
                to: [point[0] + by[0], point[1] + by[1]],
              });
            } else if (isDelete(event)) dispatch({ kind: "remove_corner", zone: index, corner });
          }}
        />
      ))}
      {points.length < MOST_CORNERS &&
        points.map((point, corner) => {
          const [x, y] = between(point, points[(corner + 1) % points.length]!);
          return (
            <button
              key={`edge-${corner}`}
              type="button"
              className="zone__corner zone__corner--new"
              style={{ left: percent(x), top: percent(y) }}
              aria-label={`Add a corner after corner ${corner + 1}`}
              onPointerDown={(event) => {
                hold(event, { zone: index, corner: corner + 1 });
                dispatch({ kind: "insert_corner", zone: index, after: corner });
              }}
              onKeyDown={(event) => {
                if (event.key !== "Enter" && event.key !== " ") return;
                event.preventDefault();
                dispatch({ kind: "grab" });
                dispatch({ kind: "insert_corner", zone: index, after: corner });
              }}
            />
          );
        })}
    </>
  );
}

function Drawing({
  points,
  cursor,
  zones,
}: {
  points: readonly Point[];
  cursor: Point | null;
  zones: readonly Zone[];
}) {
  const line = cursor && points.length > 0 ? [...points, cursor] : points;
  const canClose = isLargeEnough(points);
  return (
    <>
      <ZoneShapes zones={zones} />
      <svg viewBox="0 0 1 1" preserveAspectRatio="none">
        <polyline className="zone zone--drawn" points={polygonPoints(line.map(([x, y]) => [x, y]))} />
      </svg>
      {points.map(([x, y], index) => (
        <span
          key={index}
          className={`zone__corner ${index === 0 && canClose ? "zone__corner--closes" : ""}`}
          style={{ left: percent(x), top: percent(y) }}
        />
      ))}
    </>
  );
}

function nudgeOf(event: KeyboardEvent): Point | null {
  const way = ARROWS[event.key];
  if (!way) return null;
  event.preventDefault();
  const step = event.shiftKey ? 5 * NUDGE : NUDGE;
  return [way[0] * step, way[1] * step];
}

function isDelete(event: KeyboardEvent): boolean {
  if (event.key !== "Delete" && event.key !== "Backspace") return false;
  event.preventDefault();
  event.stopPropagation();
  return true;
}
