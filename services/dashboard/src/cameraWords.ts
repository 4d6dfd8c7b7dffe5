/** What a camera's states are called on screen, what they mean, and what to do about them. */
import type { Camera, CameraStatus } from "./api/types";
import { durationWords, sentence, type Tone } from "./words";

export interface StateWords {
  tone: Tone;
  short: string;
  /** What it means; empty while all is well. */
  long: string;
  /** Whether pictures come. */
  delivers: boolean;
}

const away = (tone: Tone, short: string, long: string): StateWords => ({
  tone,
  short,
  long,
  delivers: false,
});
/** Whether a camera is somebody's browser. */
export const isBrowser = ({ url }: { url?: string }): boolean => url?.startsWith("browser:") ?? false;

const STATES: Record<CameraStatus["state"], StateWords> = {
  streaming: { tone: "good", short: "Live", long: "", delivers: true },
  frozen: {
    tone: "warn",
    short: "Frozen",
    long: "The camera sends the same picture again and again.",
    delivers: true,
  },
  slow: {
    tone: "warn",
    short: "Slow",
    long: "The camera sends far fewer pictures than it should.",
    delivers: true,
  },
  connecting: away("busy", "Connecting", "Opening the camera."),
  unassigned: away("busy", "Waiting", "No ingest service has picked this camera up yet."),
  stalled: away("warn", "No picture", "The camera is connected but sends no pictures."),
  backoff: away("warn", "Reconnecting", "The camera can't be reached."),
  auth_failed: away("bad", "Wrong password", "The camera refused the user name or password."),
  not_found: away("bad", "Not found", "There is no stream at this address."),
  unsupported: away("bad", "Not supported", "Mien can't read this kind of video."),
  untrusted: away("bad", "Not trusted", "Nobody vouches for the certificate that the camera shows."),
  stopped: away("off", "Turned off", "This camera is turned off."),
};

const BROWSER_GONE: StateWords = {
  tone: "warn",
  short: "Browser gone",
  long: "Nobody sends pictures at the moment; this webcam is removed soon.",
  delivers: false,
};

/** Put a camera's state in words, with its own reason where it gives one. */
export function stateWords(
  camera: Pick<Camera, "enabled"> & { url?: string },
  status: CameraStatus,
): StateWords {
  const isGone = status.state !== "streaming" && status.state !== "connecting";
  if (isBrowser(camera) && camera.enabled && isGone) return BROWSER_GONE;
  const words = STATES[camera.enabled ? status.state : "stopped"];
  if (!camera.enabled || !status.reason || words.tone === "good") return words;
  const short = status.state === "stopped" ? "Closed" : words.short;
  // When the next attempt is due is shown by the second, beside this.
  return { ...words, short, long: sentence(status.reason.replace(/; trying again in \d+ s$/, "")) };
}

/** What a state is called in a camera's history. */
export const stateName = (state: CameraStatus["state"]): { tone: Tone; short: string } =>
  state === "stopped"
    ? { tone: "off", short: "Closed" }
    : state === "backoff"
      ? { tone: "warn", short: "Away" }
      : STATES[state];

const ADVICE: Partial<Record<CameraStatus["state"], string>> = {
  frozen: "Restart the camera. Where nothing ever moves on purpose, this can be ignored.",
  slow: "Look at the network, and at the frame rate in the camera's own settings; many slow down in the dark.",
  stalled: "Mien connects again by itself. If this happens often, look at the camera's power and network.",
  backoff: "Mien tries again for ever. Check the camera's power, its network and its address.",
  auth_failed:
    "Enter the user name and password again. Mien tries seldom, because many cameras lock accounts.",
  not_found: "Check the address: its path differs from maker to maker and is in the camera's manual.",
  unsupported: "Check the address, or choose how its pictures are had in the camera's settings.",
  untrusted: "Compare the fingerprint with the one in the camera's own settings before you accept it.",
};

/** What to do about a state; empty where there is nothing to do. */
export const adviceWords = (camera: Pick<Camera, "enabled">, status: CameraStatus): string =>
  (camera.enabled && ADVICE[status.state]) || "";

const DAY_SECONDS = 86_400;

/** "3 h 12 min behind" of a camera's own clock; its first second or two are the network's. */
export function clockWords(skewSeconds: number | null): { tone: Tone; words: string } {
  if (skewSeconds === null) return { tone: "off", words: "Not told by the camera" };
  const off = Math.abs(skewSeconds);
  if (off < 2) return { tone: "good", words: "Right" };
  if (off > 365 * DAY_SECONDS) return { tone: "warn", words: "Never set" };
  const minutes = Math.floor(off / 60);
  const span =
    minutes < 1
      ? `${Math.round(off)} s`
      : minutes < 60
        ? `${minutes} min`
        : off < DAY_SECONDS
          ? `${Math.floor(minutes / 60)} h ${minutes % 60} min`
          : durationWords(off * 1000);
  return { tone: off < 60 ? "busy" : "warn", words: `${span} ${skewSeconds < 0 ? "behind" : "ahead"}` };
}

/** "in 12 s" until the next attempt; empty when none is planned or it is due. */
export function retryWords(status: CameraStatus, atMs: number): string {
  if (status.retry_at_ns === null || status.retry_at_ns === undefined) return "";
  const seconds = Math.ceil((status.retry_at_ns / 1e6 - atMs) / 1000);
  return seconds > 0 ? `in ${seconds} s` : "now";
}

/** What a status may say of a camera's main stream; older ingest processes say nothing. */
interface MainStreamStatus {
  main_stream?: { state: CameraStatus["state"]; reason: string; wanted?: boolean } | null;
}

/** How a camera's main stream is, in a few words. */
export function mainStreamWords(
  camera: Pick<Camera, "main_stream_url">,
  status: CameraStatus & MainStreamStatus,
): { tone: Tone; words: string } {
  if (!camera.main_stream_url) return { tone: "off", words: "None" };
  const said = status.main_stream;
  if (!said) return { tone: "off", words: "Set, nothing heard of it yet" };
  if (said.reason) return { tone: "warn", words: sentence(said.reason) };
  if (said.state === "streaming") return { tone: "good", words: said.wanted ? "In use" : "Ready" };
  return { tone: STATES[said.state].tone, words: STATES[said.state].short };
}
