import { expect, test } from "vitest";
import { placeLabels, type Label } from "../src/live/labels";

const face = (left: number, top: number, width = 120): Label => ({
  left,
  top,
  right: left + 70,
  bottom: top + 90,
  width,
  height: 20,
});

test("a label stands above its face, on its left edge", () => {
  expect(placeLabels([face(50, 100)], 400)).toEqual([{ below: false, alignRight: false, rowsDown: 0 }]);
});

test("a label that would leave the picture ends at its face's right edge", () => {
  expect(placeLabels([face(300, 100, 200)], 400)).toEqual([{ below: false, alignRight: true, rowsDown: 0 }]);
});

test("a label wider than the room on both sides starts at its face", () => {
  expect(placeLabels([face(60, 100, 380)], 400)[0]?.alignRight).toBe(false);
});

test("a face at the top edge has its label below", () => {
  expect(placeLabels([face(50, 10)], 400)[0]?.below).toBe(true);
});

test("of two labels that would cover each other the second goes below", () => {
  const placements = placeLabels([face(60, 90, 150), face(280, 95, 210)], 400);
  expect(placements.map((placement) => placement.below)).toEqual([false, true]);
});

test("labels far from each other both stand above", () => {
  const placements = placeLabels([face(10, 90), face(250, 95)], 400);
  expect(placements.map((placement) => placement.below)).toEqual([false, false]);
});

test("where above and below are taken, a label goes a row further down", () => {
  const crowd = [face(10, 5, 200), face(100, 5, 200), face(190, 5, 200)];
  expect(placeLabels(crowd, 400).map((placement) => placement.rowsDown)).toEqual([0, 1, 2]);
});
