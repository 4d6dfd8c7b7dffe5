/** The live websocket's messages, as `mien/contracts/live.py` states them. */
import type { CameraStatus } from "../api/types";

export const LAYOUT_VERSION = 1;
const HEADER_BYTES = 5;

export type Answer = "known" | "unknown" | "unclear";

export interface LiveEmotion {
  /** May be `uncertain`. */
  label: string;
  probabilities: Record<string, number>;
}

export interface LiveTiredness {
  answer: "tired" | "awake" | "not_enough";
  /** Why there is not enough. */
  reason: "too_short" | "eyes_too_small" | "turned_away" | "unclear" | null;
  /** Share of the last minute with closed eyes. */
  perclos: number | null;
  yawns: number;
  watched_seconds: number;
}

export interface LiveFace {
  track_id: string;
  /** Left, top, right, bottom in pixels of the frame. */
  box_xyxy: [number, number, number, number];
  score: number;
  /** Null until the recognizer has said something. */
  answer: Answer | null;
  state: "provisional" | "confirmed" | "revised" | null;
  person_id: string | null;
  person_name: string | null;
  similarity: number | null;
  /** Somebody unknown who is remembered, and what they are called. */
  stranger_id?: string | null;
  stranger_label?: string | null;
  /** Somebody who is left out of history and alerts. */
  ignored?: boolean;
  /** Null where the camera's policy does not allow it. */
  emotion: LiveEmotion | null;
  tiredness?: LiveTiredness | null;
}

export interface LiveFrame {
  camera_id: string;
  frame_id: string;
  /** Nanoseconds since 1970; as a JavaScript number exact to about a quarter of a microsecond. */
  captured_at_ns: number;
  detected_at_ns: number;
  sent_at_ns: number;
  size_wh: [number, number];
  faces: LiveFace[];
}

export type ServerMessage =
  | { type: "camera"; status: CameraStatus }
  | { type: "cameras_changed"; generation: number }
  | { type: "pong"; sent_at_ms: number; server_at_ms: number }
  | { type: "notice"; message: string };

export type BrowserMessage = { type: "watch"; cameras: string[] } | { type: "ping"; sent_at_ms: number };

/** Split a binary message into its metadata and a view of its JPEG; throws when it is not of this layout. */
export function decodeLiveFrame(message: ArrayBuffer): { frame: LiveFrame; jpeg: Uint8Array<ArrayBuffer> } {
  if (message.byteLength < HEADER_BYTES) {
    throw new RangeError(`a live frame has at least ${HEADER_BYTES} bytes, got ${message.byteLength}`);
  }
  const header = new DataView(message);
  const version = header.getUint8(0);
  if (version !== LAYOUT_VERSION) {
    throw new RangeError(`expected layout ${LAYOUT_VERSION} of a live frame, got ${version}`);
  }
  const jpegStart = HEADER_BYTES + header.getUint32(1, true);
  if (jpegStart > message.byteLength) {
    throw new RangeError(`a live frame's metadata end at byte ${jpegStart}, past its ${message.byteLength}`);
  }
  const json = new TextDecoder().decode(new Uint8Array(message, HEADER_BYTES, jpegStart - HEADER_BYTES));
  return { frame: JSON.parse(json) as LiveFrame, jpeg: new Uint8Array(message, jpegStart) };
}
