/** Between the camera form's text and what the gateway takes. */
import type { Camera, CameraCreate, Schedule } from "../api/types";
import { isProhibited } from "../looks/looksWords";

export interface CameraFormValues {
  name: string;
  url: string;
  main_stream_url: string;
  username: string;
  password: string;
  removePassword: boolean;
  sampled_fps: string;
  min_face_px: string;
  frame_width_px: string;
  identity_policy: Camera["identity_policy"];
  emotion_policy: Camera["emotion_policy"];
  emotion_purpose: string;
  /** Empty goes by the address. */
  kind: NonNullable<Camera["kind"]> | "";
  transport: Camera["transport"];
  decode: Camera["decode"];
  loop_filter: Camera["loop_filter"];
  /** Empty for the usual one. */
  jpeg_quality: string;
  schedule: Schedule | null;
  context: Camera["context"];
  emotion_exemption: Camera["emotion_exemption"];
  emotion_exemption_note: string;
  tiredness_policy: Camera["tiredness_policy"];
  tiredness_purpose: string;
}

/** How the pictures at an address are had; the same rule as `source_kind` of mien/contracts/cameras.py. */
export function kindOf(url: string): Camera["source"] {
  const [, scheme = "", rest = ""] = /^([a-z]+):(.*)$/i.exec(url.trim()) ?? [];
  switch (scheme.toLowerCase()) {
    case "rtsp":
    case "rtsps":
      return "rtsp";
    case "file":
      return "file";
    case "usb":
      return "usb";
    case "http":
    case "https": {
      const path = (rest.replace(/^\/\/[^/?#]*/, "").split(/[?#]/)[0] ?? "").toLowerCase();
      if (path.endsWith(".m3u8")) return "hls";
      return SNAPSHOT_ENDINGS.some((ending) => path.endsWith(ending)) ? "snapshot" : "mjpeg";
    }
    default:
      return null;
  }
}

const SNAPSHOT_ENDINGS = [
  ".jpg",
  ".jpeg",
  "/snapshot",
  "/snapshot.cgi",
  "/snap.cgi",
  "/image.cgi",
  "/picture",
];

export const KIND_NAMES: Record<NonNullable<Camera["source"]>, string> = {
  rtsp: "RTSP stream",
  mjpeg: "JPEGs without end (MJPEG)",
  snapshot: "One JPEG per request",
  hls: "HLS playlist",
  file: "Video file",
  usb: "Camera on this machine",
  browser: "Browser webcam",
};

export function valuesOf(camera?: Camera): CameraFormValues {
  return {
    name: camera?.name ?? "",
    url: camera?.url ?? "",
    main_stream_url: camera?.main_stream_url ?? "",
    username: camera?.username ?? "",
    password: "",
    removePassword: false,
    sampled_fps: String(camera?.sampled_fps ?? 5),
    min_face_px: String(camera?.min_face_px ?? 40),
    frame_width_px: String(camera?.frame_width_px ?? 1280),
    identity_policy: camera?.identity_policy ?? "on",
    emotion_policy: camera?.emotion_policy ?? "off",
    emotion_purpose: camera?.emotion_purpose ?? "",
    kind: camera?.kind ?? "",
    transport: camera?.transport ?? "tcp",
    decode: camera?.decode ?? "auto",
    loop_filter: camera?.loop_filter ?? "on",
    jpeg_quality: camera?.jpeg_quality ? String(camera.jpeg_quality) : "",
    schedule: camera?.schedule ?? null,
    context: camera?.context ?? "unspecified",
    emotion_exemption: camera?.emotion_exemption ?? "none",
    emotion_exemption_note: camera?.emotion_exemption_note ?? "",
    tiredness_policy: camera?.tiredness_policy ?? "off",
    tiredness_purpose: camera?.tiredness_purpose ?? "",
  };
}

export type CameraRequest = Pick<
  CameraCreate,
  | "name"
  | "url"
  | "main_stream_url"
  | "sampled_fps"
  | "min_face_px"
  | "frame_width_px"
  | "identity_policy"
  | "emotion_policy"
  | "emotion_purpose"
  | "context"
  | "emotion_exemption"
  | "emotion_exemption_note"
  | "tiredness_policy"
  | "tiredness_purpose"
  | "username"
  | "kind"
  | "transport"
  | "decode"
  | "loop_filter"
  | "jpeg_quality"
  | "schedule"
> & { password?: string | null };

/** The password is left out to keep it, null to remove it. */
export function requestOf(values: CameraFormValues): CameraRequest {
  const request: CameraRequest = {
    name: values.name.trim(),
    url: values.url.trim(),
    main_stream_url: values.main_stream_url.trim() || null,
    sampled_fps: Number(values.sampled_fps),
    min_face_px: Number(values.min_face_px),
    frame_width_px: Number(values.frame_width_px),
    identity_policy: values.identity_policy,
    emotion_policy: values.emotion_policy,
    emotion_purpose: values.emotion_policy === "off" ? "" : values.emotion_purpose.trim(),
    context: values.context,
    ...exemptionOf(values),
    tiredness_policy: values.tiredness_policy,
    tiredness_purpose: values.tiredness_policy === "off" ? "" : values.tiredness_purpose.trim(),
    username: values.username.trim() || null,
    kind: isHttp(values.url) ? values.kind || null : null,
    transport: values.transport,
    decode: values.decode,
    loop_filter: values.loop_filter,
    jpeg_quality: values.jpeg_quality.trim() ? Number(values.jpeg_quality) : null,
    schedule: values.schedule,
  };
  if (values.password) request.password = values.password;
  else if (values.removePassword) request.password = null;
  return request;
}

/** Over HTTP a camera may be of several kinds, so that one may choose. */
export const isHttp = (url: string): boolean => /^https?:/i.test(url.trim());
/** A reason is only kept where one is needed. */
function exemptionOf(
  values: CameraFormValues,
): Pick<CameraRequest, "emotion_exemption" | "emotion_exemption_note"> {
  if (values.emotion_policy === "off" || !isProhibited(values.context)) {
    return { emotion_exemption: "none", emotion_exemption_note: "" };
  }
  return {
    emotion_exemption: values.emotion_exemption,
    emotion_exemption_note: values.emotion_exemption_note.trim(),
  };
}

/** Which field an error without one is about, by its words. */
export const FIELD_HINTS: [field: string, words: RegExp][] = [
  ["tiredness_purpose", /tiredness_purpose/i],
  ["emotion_exemption_note", /emotion_exemption/i],
  ["context", /where the camera looks/i],
  ["emotion_purpose", /purpose/i],
  ["name", /already|exists|taken|\bname\b(?<!user name)/i],
  ["username", /user ?name/i],
  ["password", /password/i],
  ["main_stream_url", /main stream/i],
  ["schedule", /schedule|hours|time zone/i],
  ["jpeg_quality", /quality/i],
  ["url", /address|url|scheme|rtsp|file|host|folder/i],
  ["sampled_fps", /fps|per second/i],
];
