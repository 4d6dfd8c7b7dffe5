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
}

interface Rect {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

const GAP_PX = 5;

/**
 * Place labels in the order given: inside the tile where they fit, and below their box where another
 * label already stands above it. A label that fits nowhere stays above.
 */
export function placeLabels(labels: Label[], tileWidth: number): Placement[] {
  const taken: Rect[] = [];
  return labels.map((label) => {
    const alignRight = label.left + label.width > tileWidth && label.right - label.width >= 0;
    const noRoomAbove = label.top - GAP_PX - label.height < 0;
    const above = rectOf(label, { below: false, alignRight });
    const below = rectOf(label, { below: true, alignRight });
    const isFree = (rect: Rect) => !taken.some((other) => overlap(rect, other));
    const placement = { below: noRoomAbove || (!isFree(above) && isFree(below)), alignRight };
    taken.push(placement.below ? below : above);
    return placement;
  });
}

function rectOf(label: Label, { below, alignRight }: Placement): Rect {
  const left = alignRight ? label.right - label.width : label.left;
  const top = below ? label.bottom + GAP_PX : label.top - GAP_PX - label.height;
  return { left, top, right: left + label.width, bottom: top + label.height };
}

function overlap(a: Rect, b: Rect): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
