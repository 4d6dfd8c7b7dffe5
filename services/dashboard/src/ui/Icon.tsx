/** Line icons, 24 × 24, drawn in the text's colour; decoration only, so hidden from screen readers. */

const PATHS = {
  live: "M4 6.5A1.5 1.5 0 0 1 5.5 5h13A1.5 1.5 0 0 1 20 6.5v8a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 4 14.5zM9 20h6",
  camera: "M4 8a2 2 0 0 1 2-2h8a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2zM16 11l4.5-3v8L16 13",
  webcam:
    "M12 15.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11M12 12a2 2 0 1 0 0-4 2 2 0 0 0 0 4M12 15.5V19M8 20.5h8",
  people:
    "M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7M3 19.5c.5-3.3 3-5 6-5s5.5 1.7 6 5M16 5a3.3 3.3 0 0 1 0 6.3M17.5 14.8c2 .6 3.2 2.2 3.5 4.7",
  history: "M4.5 12a7.5 7.5 0 1 1 2.3 5.4M4.5 20v-3.5H8M12 8v4.3l3 1.7",
  system: "M5 5h14v5H5zM5 14h14v5H5zM8 7.5h.01M8 16.5h.01",
  account: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8M4.5 20.5c.7-4 3.7-6 7.5-6s6.8 2 7.5 6",
  expand: "M14 5h5v5M10 19H5v-5M19 5l-6 6M5 19l6-6",
  close: "M6 6l12 12M18 6 6 18",
  back: "M14.5 5.5 8 12l6.5 6.5",
  plus: "M12 5v14M5 12h14",
  alert: "M12 4.5 3.5 19h17zM12 10.5v4M12 16.8v.01",
  plug: "M9 4v5M15 4v5M6.5 9h11v2.5a5.5 5.5 0 0 1-11 0zM12 17v3.5",
  power: "M12 4v7M7.5 6.8a7 7 0 1 0 9 0",
  mood: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17M9 10h.01M15 10h.01M8.5 14.3c1 1.3 2.2 1.9 3.5 1.9s2.5-.6 3.5-1.9",
  tired:
    "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17M8 10.5c.7.6 1.7.6 2.4 0M13.6 10.5c.7.6 1.7.6 2.4 0M10.3 15.3a1.7 1.7 0 1 0 3.4 0 1.7 1.7 0 0 0-3.4 0",
  upload: "M12 16V5M7.5 9.5 12 5l4.5 4.5M5 19h14",
  trash: "M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.5 11v5M13.5 11v5",
  edit: "M5 19l1-4L15.5 5.5l3 3L9 18zM13.5 7.5l3 3",
  strangers:
    "M12 11.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8M5 20c.5-3.6 3.4-5.5 7-5.5M17.2 16.2a1.9 1.9 0 1 1 2.6 1.8c-.5.2-.7.5-.7 1M19.1 21.3v.01",
  notThem: "M11 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8M4 20c.6-3.6 3.4-5.5 7-5.5M15.5 15.5l5 5M20.5 15.5l-5 5",
  bellOff: "M6 16.5V11a6 6 0 0 1 9-5.2M18 11v5.5M4.5 16.5h12M10 19.5h4M4 4l16 16",
  merge: "M6 4v3c0 5 6 4 6 9v4M18 4v3c0 5-6 4-6 9",
  split: "M12 20v-4c0-5-6-4-6-9V4M12 16c0-5 6-4 6-9V4",
  undo: "M8.5 5 4.5 9l4 4M5 9h9a5.5 5.5 0 0 1 0 11h-3",
  gauge: "M4.5 17a8 8 0 1 1 15 0M12 14l3.5-4.5M12 14h.01",
  training: "M4 5v14.5h16M7.5 15.5l4-5 3 2.5L20 6.5",
  check: "M5 12.5l4.5 4.5L19 7.5",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13M15.5 15.5 20.5 20.5",
  zone: "M5 8l7-3.5L19 9l-2.5 9.5L7 19zM5 8h.01M12 4.5h.01M19 9h.01M16.5 18.5h.01M7 19h.01",
  face: "M4 8.5V6a2 2 0 0 1 2-2h2.5M15.5 4H18a2 2 0 0 1 2 2v2.5M20 15.5V18a2 2 0 0 1-2 2h-2.5M8.5 20H6a2 2 0 0 1-2-2v-2.5M9.3 10h.01M14.7 10h.01M9 14c.9 1.1 1.9 1.6 3 1.6s2.1-.5 3-1.6",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

export function Logo() {
  return (
    <svg className="logo" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M7.5 12V10a2.5 2.5 0 0 1 2.5-2.5h2M20 7.5h2a2.5 2.5 0 0 1 2.5 2.5v2M24.5 20v2a2.5 2.5 0 0 1-2.5 2.5h-2M12 24.5h-2a2.5 2.5 0 0 1-2.5-2.5v-2M12 18.2c1.1 1.5 2.4 2.2 4 2.2s2.9-.7 4-2.2M12.7 13.5h.01M19.3 13.5h.01" />
    </svg>
  );
}

/** A button that is only a picture; its words are told and shown to who rests on it. */
export function IconButton({ icon, words, onClick }: { icon: IconName; words: string; onClick: () => void }) {
  return (
    <button type="button" className="icon-button" title={words} aria-label={words} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}
