import { describe, expect, it } from "vitest";
import { portions, sourceOf, type PickedFile } from "../src/pages/importFiles";
import { countWords, peopleWords, shareDone } from "../src/pages/importWords";
import { badgeWords } from "../src/words";

const finding = (kind: string, level: "fair" | "bad" = "fair") => ({ kind, level, words: "…" });
const ENROLLED = {
  status: "enrolled" as const,
  set_aside: false,
  set_aside_reason: null,
  use_anyway: false,
  badge: { level: "good" as const, findings: [] as ReturnType<typeof finding>[] },
};

describe("a photo's badge", () => {
  it("is green where nothing is the matter", () => {
    expect(badgeWords(ENROLLED)).toEqual({ place: "in_use", tone: "good", label: "Good" });
  });

  it("waits until the photo was compared with others", () => {
    expect(badgeWords({ ...ENROLLED, badge: null }).tone).toBe("busy");
    expect(badgeWords({ ...ENROLLED, status: "pending", badge: null }).label).toBe("On its way");
  });

  it("asks for a look where Mien has set it aside", () => {
    const photo = {
      ...ENROLLED,
      set_aside: true,
      set_aside_reason: "stray" as const,
      badge: { level: "bad" as const, findings: [finding("stray", "bad")] },
    };
    expect(badgeWords(photo)).toEqual({ place: "to_decide", tone: "bad", label: "Somebody else?" });
  });

  it("asks no more once somebody has decided", () => {
    const badge = { level: "fair" as const, findings: [finding("lookalike")] };
    expect(badgeWords({ ...ENROLLED, badge }).place).toBe("to_decide");
    expect(badgeWords({ ...ENROLLED, badge, use_anyway: true }).place).toBe("in_use");
    expect(badgeWords({ ...ENROLLED, set_aside: true, set_aside_reason: "by_hand" }).place).toBe("not_used");
  });

  it("names the first thing that is the matter", () => {
    const badge = { level: "fair" as const, findings: [finding("sharpness"), finding("light")] };
    expect(badgeWords({ ...ENROLLED, badge })).toEqual({ place: "in_use", tone: "warn", label: "Blurred" });
  });
});

const picked = (path: string, bytes = 10): PickedFile => ({
  path,
  file: { name: path.split("/").at(-1) ?? "", size: bytes } as File,
});

describe("files of an import", () => {
  it("go in portions that a request may hold", () => {
    const megabytes = 1024 * 1024;
    const files = Array.from({ length: 120 }, (_, n) => picked(`${n}.jpg`));
    expect(portions(files).portions.map((portion) => portion.length)).toEqual([50, 50, 20]);
    const large = Array.from({ length: 5 }, (_, n) => picked(`${n}.jpg`, 9 * megabytes));
    expect(portions(large).portions.map((portion) => portion.length)).toEqual([2, 2, 1]);
    expect(portions([picked("huge.jpg", 11 * megabytes)])).toMatchObject({ portions: [], tooLarge: [{}] });
  });

  it("are called after what was brought", () => {
    expect(sourceOf([picked("team/Ada/1.jpg"), picked("team/Bob/1.jpg")])).toBe("team");
    expect(sourceOf([picked("team.zip")])).toBe("team.zip");
    expect(sourceOf([picked("Ada/1.jpg"), picked("Bob/1.jpg")])).toBe("2 files");
  });
});

const COUNTS = {
  entries: 0,
  read: 0,
  files: 10,
  waiting: 4,
  enrolled: 5,
  set_aside: 1,
  refused: 2,
  skipped: 0,
};

describe("an import in words", () => {
  it("says what became of the photos", () => {
    expect(countWords({ state: "running", counts: COUNTS })).toBe(
      "5 photos enrolled, 4 on their way, 1 set aside, 2 refused",
    );
    expect(countWords({ state: "draft", counts: COUNTS })).toBe("10 photos");
  });

  it("says how far it is", () => {
    expect(shareDone({ state: "running", counts: COUNTS })).toBeCloseTo(0.6);
    expect(shareDone({ state: "reading", counts: { ...COUNTS, entries: 8, read: 2 } })).toBeCloseTo(0.25);
  });

  it("counts who is new and who is there", () => {
    const person = (is_new: boolean, photos = 1) => ({ is_new, photos });
    expect(peopleWords([person(true), person(true), person(false)])).toBe(
      "2 new people and 1 who is there already",
    );
    expect(peopleWords([person(true, 0)])).toBe("nobody");
  });
});
