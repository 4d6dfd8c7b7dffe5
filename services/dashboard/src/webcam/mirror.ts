/** People expect a mirror of themselves; the pictures that are sent are never turned round. */
import type { LiveFrame } from "../live/protocol";

type Box = [number, number, number, number];

export const mirrorBox = ([left, top, right, bottom]: Box, width: number): Box => [
  width - right,
  top,
  width - left,
  bottom,
];

export const mirrorFrame = (frame: LiveFrame): LiveFrame => ({
  ...frame,
  faces: frame.faces.map((face) => ({ ...face, box_xyxy: mirrorBox(face.box_xyxy, frame.size_wh[0]) })),
});
