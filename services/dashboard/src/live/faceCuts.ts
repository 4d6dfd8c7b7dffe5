/** A small cut of each face in view, for the list beside the pictures; kept in memory only, while it is in view. */
import type { LiveFace, LiveFrame } from "./protocol";

const SIDE_PX = 72;
const MARGIN = 0.25;
const LARGER_BY = 1.3;
const KEPT = 60;

interface Cut {
  canvas: HTMLCanvasElement;
  facePx: number;
}

const cuts = new Map<string, Cut>();

/** Cut out the faces that have no cut yet, or a clearly smaller one. */
export function offerFaces(frame: LiveFrame, picture: CanvasImageSource): void {
  for (const face of frame.faces) {
    const [left, top, right, bottom] = face.box_xyxy;
    const facePx = Math.max(right - left, bottom - top);
    const before = cuts.get(face.track_id);
    if (before && facePx < before.facePx * LARGER_BY) continue;
    cuts.set(face.track_id, { canvas: cut(face, facePx, picture), facePx });
  }
  for (const trackId of [...cuts.keys()].slice(0, Math.max(0, cuts.size - KEPT))) cuts.delete(trackId);
}

export const faceCut = (trackId: string): HTMLCanvasElement | undefined => cuts.get(trackId)?.canvas;

function cut(face: LiveFace, facePx: number, picture: CanvasImageSource): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE_PX;
  const [left, top, right, bottom] = face.box_xyxy;
  const side = facePx * (1 + 2 * MARGIN);
  const x = (left + right - side) / 2;
  const y = (top + bottom - side) / 2;
  canvas.getContext("2d")?.drawImage(picture, x, y, side, side, 0, 0, SIDE_PX, SIDE_PX);
  return canvas;
}
