/** Editing the zones of a picture: polygons in shares of its width and height, and what was done to them. */
import type { Zone } from "../api/types";

export type Point = [x: number, y: number];
export type Ignores = NonNullable<Zone["ignores"]>;

export const MOST_ZONES = 16;
export const MOST_CORNERS = 32;
const LEAST_CORNERS = 3;
/** Smaller is a slip of the finger: about 20 × 20 pixels of 1280 × 720. */
const LEAST_AREA = 0.0005;

export interface Editing {
  zones: readonly Zone[];
  /** What `zones` were before each step, the newest last. */
  past: readonly (readonly Zone[])[];
  selected: number | null;
  /** Corners of the zone being drawn; null while none is. */
  drawing: readonly Point[] | null;
}

export type Step =
  | { kind: "load"; zones: readonly Zone[] }
  | { kind: "draw" }
  | { kind: "add_point"; at: Point }
  | { kind: "take_back_point" }
  | { kind: "finish" }
  | { kind: "cancel" }
  | { kind: "add_rectangle" }
  | { kind: "select"; zone: number | null }
  /** Before a drag, so that all of it is undone at once. */
  | { kind: "grab" }
  | { kind: "drag_corner"; zone: number; corner: number; to: Point }
  | { kind: "drag_zone"; zone: number; by: Point }
  | { kind: "insert_corner"; zone: number; after: number }
  | { kind: "remove_corner"; zone: number; corner: number }
  | { kind: "set_ignores"; zone: number; ignores: Ignores }
  | { kind: "remove_zone"; zone: number }
  | { kind: "undo" };

export const beginEditing = (zones: readonly Zone[]): Editing => ({
  zones,
  past: [],
  selected: null,
  drawing: null,
});

export function edit(state: Editing, step: Step): Editing {
  switch (step.kind) {
    case "load":
      return beginEditing(step.zones);
    case "draw":
      return state.zones.length < MOST_ZONES ? { ...state, drawing: [], selected: null } : state;
    case "add_point":
      if (!state.drawing || state.drawing.length >= MOST_CORNERS) return state;
      return { ...state, drawing: [...state.drawing, inside(step.at)] };
    case "take_back_point":
      return state.drawing ? { ...state, drawing: state.drawing.slice(0, -1) } : state;
    case "finish":
      return state.drawing && isLargeEnough(state.drawing)
        ? withZone(state, state.drawing)
        : { ...state, drawing: null };
    case "cancel":
      return { ...state, drawing: null, selected: null };
    case "add_rectangle":
      if (state.zones.length >= MOST_ZONES) return state;
      return withZone(state, rectangleBeside(state.zones.length));
    case "select":
      return { ...state, selected: step.zone };
    case "grab":
      return { ...state, past: [...state.past, state.zones] };
    case "drag_corner":
      return changed(state, step.zone, (zone) => ({
        ...zone,
        points_xy: zone.points_xy.map((point, index) => (index === step.corner ? inside(step.to) : point)),
      }));
    case "drag_zone":
      return changed(state, step.zone, (zone) => ({
        ...zone,
        points_xy: shifted(zone.points_xy as Point[], step.by),
      }));
    case "insert_corner":
      return changed(state, step.zone, (zone) => withCorner(zone, step.after));
    case "remove_corner": {
      const corners = state.zones[step.zone]?.points_xy.length ?? 0;
      if (corners <= LEAST_CORNERS) return edit(state, { kind: "remove_zone", zone: step.zone });
      return changed(edit(state, { kind: "grab" }), step.zone, (zone) => ({
        ...zone,
        points_xy: zone.points_xy.filter((_, index) => index !== step.corner),
      }));
    }
    case "set_ignores":
      return changed(edit(state, { kind: "grab" }), step.zone, (zone) => ({
        ...zone,
        ignores: step.ignores,
      }));
    case "remove_zone":
      return {
        ...edit(state, { kind: "grab" }),
        zones: state.zones.filter((_, index) => index !== step.zone),
        selected: null,
      };
    case "undo":
      return undone(state);
  }
}

/** Whether there is a step to take back; grabbing without dragging is none. */
export const canUndo = (state: Editing): boolean => state.past.some((zones) => zones !== state.zones);

/** Zones as they are stored: a ten-thousandth of the picture is finer than a pixel. */
export const storable = (zones: readonly Zone[]): Zone[] =>
  zones.map(({ points_xy, ignores }) => ({
    points_xy: points_xy.map(([x, y]) => [rounded(x), rounded(y)]),
    ignores: ignores ?? "movement",
  }));

export const isSame = (a: readonly Zone[], b: readonly Zone[]): boolean =>
  JSON.stringify(storable(a)) === JSON.stringify(storable(b));

/** Share of the picture that a polygon covers (shoelace formula). */
export function area(points: readonly Point[]): number {
  const doubled = points.reduce((sum, [x, y], index) => {
    const [nextX, nextY] = points[(index + 1) % points.length]!;
    return sum + x * nextY - nextX * y;
  }, 0);
  return Math.abs(doubled) / 2;
}

export const isLargeEnough = (points: readonly Point[]): boolean =>
  points.length >= LEAST_CORNERS && area(points) >= LEAST_AREA;

/** Where a zone's label goes: the middle of its corners. */
export function middle(points: readonly Point[]): Point {
  const sum = points.reduce<Point>(([x, y], point) => [x + point[0], y + point[1]], [0, 0]);
  return [sum[0] / points.length, sum[1] / points.length];
}

export const between = (a: Point, b: Point): Point => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];

const clamped = (value: number): number => Math.min(1, Math.max(0, value));
const inside = ([x, y]: Point): Point => [clamped(x), clamped(y)];
const rounded = (value: number): number => Math.round(value * 10_000) / 10_000;

/** Move all corners alike, as far as the picture allows. */
function shifted(points: readonly Point[], [byX, byY]: Point): Point[] {
  const limit = (by: number, values: number[]) =>
    Math.min(1 - Math.max(...values), Math.max(-Math.min(...values), by));
  const x = limit(
    byX,
    points.map((point) => point[0]),
  );
  const y = limit(
    byY,
    points.map((point) => point[1]),
  );
  return points.map((point) => inside([point[0] + x, point[1] + y]));
}

function withZone(state: Editing, points: readonly Point[]): Editing {
  const zone: Zone = { points_xy: points.map(([x, y]) => [x, y]), ignores: "movement" };
  return {
    zones: [...state.zones, zone],
    past: [...state.past, state.zones],
    selected: state.zones.length,
    drawing: null,
  };
}

/** A rectangle to start from without a pointer; each a little beside the one before. */
function rectangleBeside(count: number): Point[] {
  const at = 0.3 + 0.02 * (count % 10);
  return [
    [at, at],
    [at + 0.25, at],
    [at + 0.25, at + 0.25],
    [at, at + 0.25],
  ];
}

function withCorner(zone: Zone, after: number): Zone {
  const points = zone.points_xy as Point[];
  const a = points[after];
  const b = points[(after + 1) % points.length];
  if (!a || !b || points.length >= MOST_CORNERS) return zone;
  return { ...zone, points_xy: [...points.slice(0, after + 1), between(a, b), ...points.slice(after + 1)] };
}

function changed(state: Editing, index: number, change: (zone: Zone) => Zone): Editing {
  if (!state.zones[index]) return state;
  return { ...state, zones: state.zones.map((zone, at) => (at === index ? change(zone) : zone)) };
}

function undone(state: Editing): Editing {
  const past = [...state.past];
  let zones = past.pop();
  while (zones === state.zones) zones = past.pop();
  return zones ? { zones, past, selected: null, drawing: null } : { ...state, past: [] };
}
