/** The webcam's websocket, as `mien/contracts/webcam.py` states it. */
import type { LiveFrame } from "../live/protocol";

export interface Opened {
  type: "opened";
  camera_id: string;
  name: string;
  credits: number;
  fps: number;
  max_frame_bytes: number;
  max_side_px: number;
  emotion_purpose: string;
  is_resumed: boolean;
}

export interface Credit {
  type: "credit";
  number: number;
  frame_id: string | null;
  /** Why the picture went no further, in words; empty when it did. */
  dropped: string;
}

export type GatewayMessage = Opened | Credit | { type: "faces"; frame: LiveFrame };

export type WebcamMessage = { type: "open"; with_emotion: boolean } | { type: "stop" };

/** Codes with which the gateway closes for a reason that trying again would not change. */
export const FINAL_CODES: ReadonlySet<number> = new Set([1000, 4400, 4401, 4403, 4409, 4410]);
