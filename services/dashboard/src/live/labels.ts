/** Where names go: above a face, or below it where two names would cover each other. */

export interface Label {
  /** Edges of the face's box, pixels of the tile. */
  left: number;
  top: number;
  right: number;
  bottom: number;
  /** Size of the label, pixels. */
  width: number;
  height: number;
}

export interface Placement {
  below: boolean;
  alignRight: boolean;
  /** How many rows further down a label below its face stands. */
  rowsDown: number;
}

interface Rect {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

const GAP_PX = 5;
const MOST_ROWS_DOWN = 2;

/**
 * Place labels in the order given: above their face where there is room, else below it, else in a row
 * further down, so that none covers another. One that fits nowhere stands right below its face.
 */
export function placeLabels(labels: Label[], tileWidth: number): Placement[] {
  const taken: Rect[] = [];
  return labels.map((label) => {
    const alignRight = label.left + label.width > tileWidth && label.right - label.width >= 0;
    const below = Array.from({ length: MOST_ROWS_DOWN + 1 }, (_, rowsDown) => ({
      below: true,
      alignRight,
      rowsDown,
    }));
    const candidates: Placement[] = [...below];
    if (label.top - GAP_PX - label.height >= 0) candidates.unshift({ below: false, alignRight, rowsDown: 0 });
    const isFree = (placement: Placement) => !taken.some((other) => overlap(rectOf(label, placement), other));
    const placement = candidates.find(isFree) ?? below[0]!;
    taken.push(rectOf(label, placement));
    return placement;
  });
}

function rectOf(label: Label, { below, alignRight, rowsDown }: Placement): Rect {
  const left = alignRight ? label.right - label.width : label.left;
  const top = below
    ? label.bottom + GAP_PX + rowsDown * (label.height + GAP_PX)
    : label.top - GAP_PX - label.height;
  return { left, top, right: left + label.width, bottom: top + label.height };
}

function overlap(a: Rect, b: Rect): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
