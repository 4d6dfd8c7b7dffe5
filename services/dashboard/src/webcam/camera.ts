/** The camera of the computer or phone at hand: opening it, what may be in the way, and pictures of it. */

/** Why this page can't reach a camera whatever the person allows; null where it can. */
export function whyNoCamera(): "insecure" | "unsupported" | null {
  const devices: MediaDevices | undefined = navigator.mediaDevices;
  if (devices) return null;
  return window.isSecureContext ? "unsupported" : "insecure";
}

/** What went wrong when a camera was opened, and what to do. */
export function cameraErrorWords(error: unknown): string {
  const name = error instanceof DOMException ? error.name : "";
  switch (name) {
    case "NotAllowedError":
      return "The browser was not allowed to use the camera. Allow it beside the page's address, then try again.";
    case "NotFoundError":
    case "OverconstrainedError":
      return "No camera was found. Plug one in, or choose another, then try again.";
    case "NotReadableError":
    case "AbortError":
      return "The camera is in use by another program. Close that, then try again.";
    default:
      return `The camera could not be opened${name ? ` (${name})` : ""}.`;
  }
}

export async function openCamera(video: HTMLVideoElement, deviceId?: string): Promise<MediaStream> {
  const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "user" };
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: false,
    video: { width: { ideal: 1280 }, height: { ideal: 720 }, ...which },
  });
  video.srcObject = stream;
  await video.play();
  return stream;
}

export function closeCamera(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

export async function listCameras(): Promise<MediaDeviceInfo[]> {
  return (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === "videoinput");
}

export interface Grabbed {
  jpeg: Blob;
  width: number;
  height: number;
  atMs: number;
}

/** Takes pictures of a video, scaled down to a longest side; it keeps the last one on {@link canvas}. */
export class Grabber {
  readonly canvas = document.createElement("canvas");

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly maxSidePx: number,
  ) {}

  /** Null while the video shows nothing yet. */
  async grab(quality = 0.8): Promise<Grabbed | null> {
    const { videoWidth, videoHeight } = this.video;
    if (videoWidth === 0 || this.video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return null;
    const scale = Math.min(1, this.maxSidePx / Math.max(videoWidth, videoHeight));
    const [width, height] = [Math.round(videoWidth * scale), Math.round(videoHeight * scale)];
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    const atMs = performance.now();
    this.canvas.getContext("2d", { alpha: false })?.drawImage(this.video, 0, 0, width, height);
    const jpeg = await new Promise<Blob | null>((resolve) =>
      this.canvas.toBlob(resolve, "image/jpeg", quality),
    );
    return jpeg && { jpeg, width, height, atMs };
  }
}
