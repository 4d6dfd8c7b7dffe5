/** Boxes and labels over a tile's picture: plain elements, moved with each drawn frame, never by React. */
import { answerWords, emotionWords } from "../words";
import { chosenFace } from "./chosenFace";
import { placeLabels, type Label, type Placement } from "./labels";
import type { LiveEmotion, LiveFace, LiveFrame } from "./protocol";

const SMALL_BELOW_SHARE = 0.09;

export class FaceOverlay {
  private readonly faces = new Map<string, FaceElement>();

  constructor(private readonly root: HTMLElement) {}

  /** Show exactly the faces of *frame*. */
  show(frame: LiveFrame): void {
    const present = new Set<string>();
    for (const face of frame.faces) {
      present.add(face.track_id);
      let element = this.faces.get(face.track_id);
      if (!element) {
        element = new FaceElement(face.track_id);
        this.faces.set(face.track_id, element);
        this.root.append(...element.parts);
      }
      element.update(face, frame.size_wh);
    }
    for (const [trackId, element] of this.faces) {
      if (present.has(trackId)) continue;
      for (const part of element.parts) part.remove();
      this.faces.delete(trackId);
    }
    this.keepLabelsApart();
  }

  private keepLabelsApart(): void {
    const elements = [...this.faces.values()];
    const [width, height] = [this.root.clientWidth, this.root.clientHeight];
    const placements = placeLabels(
      elements.map((element) => element.labelOn(width, height)),
      width,
    );
    elements.forEach((element, index) => element.placeLabel(placements[index]!));
  }

  clear(): void {
    this.root.replaceChildren();
    this.faces.clear();
  }
}

class FaceElement {
  private readonly root = make("div", "face");
  private readonly name = make("button", "face__name");
  private readonly mood = make("button", "face__mood");
  private readonly tired = make("span", "face__tired");
  private readonly bars = new ProbabilityBars();
  private readonly chip: HTMLElement;
  private face: LiveFace | null = null;
  private shown = "";
  private chipSize: [number, number] | null = null;
  private box: [number, number, number, number] = [0, 0, 0, 0];

  constructor(trackId: string) {
    this.name.type = "button";
    this.name.addEventListener("click", (event) => {
      event.stopPropagation();
      if (this.face) chooseFace(this.face);
    });
    this.root.dataset["testid"] = "face";
    this.root.dataset["trackId"] = trackId;
    this.mood.type = "button";
    this.mood.hidden = true;
    this.mood.addEventListener("click", (event) => {
      event.stopPropagation();
      this.root.classList.toggle("face--pinned");
    });
    const chip = make("div", "face__chip");
    this.tired.hidden = true;
    this.tired.textContent = "Tired";
    chip.append(this.name, this.mood, this.tired);
    this.chip = chip;
    const label = make("div", "face__label");
    label.append(chip);
    this.root.append(label);
  }

  /** The box, and right after it (the style sheet counts on that) its bars, in a corner where they have room. */
  get parts(): HTMLElement[] {
    return [this.root, this.bars.root];
  }

  update(face: LiveFace, sizeWh: [number, number]): void {
    this.face = face;
    this.place(face.box_xyxy, sizeWh);
    const shown = `${face.answer}|${face.person_name}|${face.stranger_label}|${face.ignored}|${face.state}|${face.emotion?.label}|${face.tiredness?.answer}`;
    if (shown !== this.shown) {
      this.shown = shown;
      this.label(face);
      this.chipSize = null;
    }
    if (face.emotion) this.bars.update(face.emotion);
  }

  private place([left, top, right, bottom]: LiveFace["box_xyxy"], [width, height]: [number, number]): void {
    const { style, classList } = this.root;
    style.left = percent(left / width);
    style.top = percent(top / height);
    style.width = percent((right - left) / width);
    style.height = percent((bottom - top) / height);
    this.box = [left / width, top / height, right / width, bottom / height];
    classList.toggle("face--small", (right - left) / width < SMALL_BELOW_SHARE);
    classList.toggle("face--right", left + right > width);
  }

  /** The label as it would stand on a tile of this size; its own size is measured once per text. */
  labelOn(tileWidth: number, tileHeight: number): Label {
    this.chipSize ??= [this.chip.offsetWidth, this.chip.offsetHeight];
    const [left, top, right, bottom] = this.box;
    return {
      left: left * tileWidth,
      top: top * tileHeight,
      right: right * tileWidth,
      bottom: bottom * tileHeight,
      width: this.chipSize[0],
      height: this.chipSize[1],
    };
  }

  placeLabel({ below, alignRight, rowsDown }: Placement): void {
    this.root.style.setProperty("--rows-down", String(rowsDown));
    this.root.classList.toggle("face--label-below", below);
    this.root.classList.toggle("face--label-right", alignRight);
  }

  private label(face: LiveFace): void {
    const answer = face.answer ?? "pending";
    const name = answerWords(face.answer, face.person_name, face.stranger_label);
    const mood = face.emotion ? emotionWords(face.emotion.label) : "";
    this.root.dataset["answer"] = answer;
    this.root.dataset["state"] = face.state ?? "";
    this.root.dataset["person"] = face.person_name ?? "";
    this.root.dataset["personId"] = face.person_id ?? "";
    this.root.dataset["stranger"] = face.stranger_label ?? "";
    this.root.dataset["ignored"] = face.ignored ? "true" : "false";
    this.root.dataset["emotion"] = face.emotion?.label ?? "";
    this.root.dataset["tiredness"] = face.tiredness?.answer ?? "";
    this.name.textContent = name;
    this.name.title = "Say who this is";
    this.tired.hidden = face.tiredness?.answer !== "tired";
    this.mood.textContent = mood;
    this.mood.hidden = mood === "";
    this.mood.setAttribute("aria-label", `${name} looks ${mood.toLowerCase()}. Show the estimate.`);
  }
}

function chooseFace(face: LiveFace): void {
  chosenFace.set({
    trackId: face.track_id,
    answer: face.answer,
    personId: face.person_id,
    personName: face.person_name,
    strangerId: face.stranger_id ?? null,
  });
}

/** Small bars with the share of each expression; redrawn a few times a second. */
export class ProbabilityBars {
  readonly root = make("div", "moods");
  private readonly fills = new Map<string, { fill: HTMLElement; value: HTMLElement }>();
  private updatedAtMs = 0;

  update(emotion: LiveEmotion, atMs: number = performance.now()): void {
    if (atMs - this.updatedAtMs < 300) return;
    this.updatedAtMs = atMs;
    for (const [label, probability] of Object.entries(emotion.probabilities)) {
      const row = this.fills.get(label) ?? this.addRow(label);
      const share = percent(probability, 0);
      if (row.value.textContent === share) continue;
      row.value.textContent = share;
      row.fill.style.width = share;
    }
  }

  private addRow(label: string): { fill: HTMLElement; value: HTMLElement } {
    const row = make("div", "moods__row");
    const track = make("span", "moods__track");
    const fill = make("span", `moods__fill mood--${label}`);
    const value = make("span", "moods__value");
    const name = make("span", "moods__name");
    name.textContent = emotionWords(label);
    track.append(fill);
    row.append(name, track, value);
    this.root.append(row);
    this.fills.set(label, { fill, value });
    return { fill, value };
  }
}

function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className: string,
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  element.className = className;
  return element;
}

const percent = (share: number, digits = 2): string => `${(share * 100).toFixed(digits)}%`;
