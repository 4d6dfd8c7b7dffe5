import { describe, expect, it } from "vitest";
import type { Zone } from "../src/api/types";
import {
  area,
  beginEditing,
  canUndo,
  edit,
  isSame,
  MOST_CORNERS,
  MOST_ZONES,
  storable,
  type Editing,
  type Point,
  type Step,
} from "../src/zones/editing";

const SQUARE: Point[] = [
  [0.1, 0.1],
  [0.3, 0.1],
  [0.3, 0.3],
  [0.1, 0.3],
];
const zone = (points: Point[] = SQUARE): Zone => ({ points_xy: points, ignores: "movement" });
const after = (state: Editing, ...steps: Step[]): Editing => steps.reduce(edit, state);
const points = (...list: Point[]): Step[] => list.map((at) => ({ kind: "add_point", at }));

describe("drawing a zone", () => {
  it("ends as a zone that is selected and can be undone", () => {
    const state = after(beginEditing([]), { kind: "draw" }, ...points(...SQUARE), { kind: "finish" });
    expect(state).toMatchObject({ zones: [zone()], selected: 0, drawing: null });
    expect(edit(state, { kind: "undo" }).zones).toEqual([]);
  });

  it("stays inside the picture", () => {
    const state = after(beginEditing([]), { kind: "draw" }, ...points([-0.2, 0.5], [1.4, 2]));
    expect(state.drawing).toEqual([
      [0, 0.5],
      [1, 1],
    ]);
  });

  it("takes back corners one by one, and gives up on Escape", () => {
    const drawn = after(beginEditing([zone()]), { kind: "draw" }, ...points(...SQUARE));
    expect(edit(drawn, { kind: "take_back_point" }).drawing).toHaveLength(3);
    expect(edit(drawn, { kind: "cancel" })).toMatchObject({ zones: [zone()], drawing: null });
  });

  it.each([
    ["two corners", [SQUARE[0]!, SQUARE[1]!]],
    ["a slip of the finger", [[0.1, 0.1] as Point, [0.11, 0.1] as Point, [0.11, 0.11] as Point]],
  ])("leaves nothing behind of %s", (_, corners) => {
    const state = after(beginEditing([]), { kind: "draw" }, ...points(...corners), { kind: "finish" });
    expect(state).toMatchObject({ zones: [], drawing: null });
    expect(canUndo(state)).toBe(false);
  });

  it("ends at what the gateway takes", () => {
    const many = Array.from({ length: MOST_CORNERS + 5 }, (_, index): Point => [index / 100, 0.5]);
    expect(after(beginEditing([]), { kind: "draw" }, ...points(...many)).drawing).toHaveLength(MOST_CORNERS);
    const full = beginEditing(Array.from({ length: MOST_ZONES }, () => zone()));
    expect(edit(full, { kind: "draw" }).drawing).toBeNull();
    expect(edit(full, { kind: "add_rectangle" }).zones).toHaveLength(MOST_ZONES);
  });
});

describe("changing a zone", () => {
  it("undoes a whole drag at once", () => {
    const dragged = after(
      beginEditing([zone()]),
      { kind: "grab" },
      ...[0.2, 0.3, 0.4].map((x): Step => ({ kind: "drag_corner", zone: 0, corner: 0, to: [x, 0.05] })),
    );
    expect(dragged.zones[0]!.points_xy[0]).toEqual([0.4, 0.05]);
    expect(edit(dragged, { kind: "undo" }).zones).toEqual([zone()]);
  });

  it("counts taking hold without dragging as no step", () => {
    const held = after(beginEditing([zone()]), { kind: "grab" }, { kind: "grab" });
    expect(canUndo(held)).toBe(false);
    const removed = after(held, { kind: "remove_zone", zone: 0 }, { kind: "undo" });
    expect(removed.zones).toEqual([zone()]);
    expect(canUndo(removed)).toBe(false);
  });

  it("keeps a zone's shape at the picture's edge", () => {
    const moved = edit(beginEditing([zone()]), { kind: "drag_zone", zone: 0, by: [-0.5, 0.9] });
    expect(storable(moved.zones)[0]!.points_xy).toEqual([
      [0, 0.8],
      [0.2, 0.8],
      [0.2, 1],
      [0, 1],
    ]);
  });

  it("puts a new corner in the middle of an edge, the last edge too", () => {
    const state = edit(beginEditing([zone()]), { kind: "insert_corner", zone: 0, after: 3 });
    expect(state.zones[0]!.points_xy).toHaveLength(5);
    expect(state.zones[0]!.points_xy[4]).toEqual([0.1, 0.2]);
  });

  it("takes a corner away, and the zone with the third last", () => {
    const three = edit(beginEditing([zone()]), { kind: "remove_corner", zone: 0, corner: 1 });
    expect(three.zones[0]!.points_xy).toEqual([SQUARE[0], SQUARE[2], SQUARE[3]]);
    const none = edit(three, { kind: "remove_corner", zone: 0, corner: 0 });
    expect(none.zones).toEqual([]);
    expect(after(none, { kind: "undo" }, { kind: "undo" }).zones).toEqual([zone()]);
  });

  it("chooses what is ignored, and undoes that", () => {
    const state = edit(beginEditing([zone()]), { kind: "set_ignores", zone: 0, ignores: "everything" });
    expect(state.zones[0]!.ignores).toBe("everything");
    expect(edit(state, { kind: "undo" }).zones[0]!.ignores).toBe("movement");
  });

  it("ignores steps about zones that are not there", () => {
    const state = beginEditing([zone()]);
    expect(edit(state, { kind: "drag_zone", zone: 4, by: [0.1, 0.1] }).zones).toEqual([zone()]);
    expect(edit(state, { kind: "undo" }).zones).toEqual([zone()]);
  });
});

describe("zones as they are stored", () => {
  it("are the same when they differ by less than a ten-thousandth", () => {
    const nudged = zone(SQUARE.map(([x, y]): Point => [x + 0.00001, y]));
    expect(isSame([zone()], [nudged])).toBe(true);
    expect(isSame([zone()], [])).toBe(false);
  });

  it("cover a share of the picture whichever way they were drawn", () => {
    expect(area(SQUARE)).toBeCloseTo(0.04);
    expect(area([...SQUARE].reverse())).toBeCloseTo(0.04);
  });
});
