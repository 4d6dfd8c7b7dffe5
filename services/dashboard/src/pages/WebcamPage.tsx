import { useEffect, useRef, useState } from "react";
import { Link } from "react-router";
import { useResource } from "../api/resource";
import { useStore } from "../app/store";
import { offerFaces } from "../live/faceCuts";
import { cameras, presence } from "../live/live";
import { FaceOverlay } from "../live/overlay";
import { WhoIsHere } from "../live/WhoIsHere";
import { Icon } from "../ui/Icon";
import { Notice, PageHead } from "../ui/parts";
import {
  cameraErrorWords,
  closeCamera,
  Grabber,
  listCameras,
  openCamera,
  whyNoCamera,
} from "../webcam/camera";
import { WebcamConnection, type WebcamState } from "../webcam/connection";
import { mirrorFrame } from "../webcam/mirror";
import { NoCamera } from "../webcam/NoCamera";
import { sentence } from "../words";

const SENT_SIDE_PX = 640;
const OLD_AFTER_MS = 2_000;

/** Be a camera: see who you are to Mien, and how you look, live. */
export function WebcamPage() {
  const why = whyNoCamera();
  const [withEmotion, setWithEmotion] = useState(false);
  const [running, setRunning] = useState(false);
  const [over, setOver] = useState("");
  if (why) {
    return (
      <>
        <PageHead title="Webcam" />
        <NoCamera why={why} />
      </>
    );
  }
  return (
    <>
      <PageHead title="Webcam">
        <Link to="/enrol" className="button">
          <Icon name="face" /> Enrol at the webcam
        </Link>
      </PageHead>
      {over && <Notice tone="warn">{sentence(over)}</Notice>}
      {running ? (
        <Running
          withEmotion={withEmotion}
          end={(reason) => {
            setOver(reason);
            setRunning(false);
          }}
        />
      ) : (
        <section className="panel webcam-intro">
          <span className="empty__icon">
            <Icon name="camera" />
          </span>
          <h2>Be a camera</h2>
          <p className="muted">
            See within a second who Mien takes you for. While it runs, this webcam is a camera like any other:
            whoever is signed in can see it on the live page, and who is recognised goes into the history.
            Pictures are not stored, but for the small views of faces that every camera keeps for a while.
          </p>
          <label className="tick webcam-intro__tick">
            <input
              type="checkbox"
              checked={withEmotion}
              onChange={(event) => setWithEmotion(event.target.checked)}
            />
            <span>
              Read my expression, too
              <small>Purpose: to show you how your own expression is read. Off unless you tick it.</small>
            </span>
          </label>
          <button
            type="button"
            className="button button--main"
            onClick={() => {
              setOver("");
              setRunning(true);
            }}
          >
            Start the webcam
          </button>
        </section>
      )}
    </>
  );
}

function Running({ withEmotion, end }: { withEmotion: boolean; end: (reason: string) => void }) {
  const refs = {
    stage: useRef<HTMLDivElement>(null),
    video: useRef<HTMLVideoElement>(null),
    faces: useRef<HTMLDivElement>(null),
    figures: useRef<HTMLSpanElement>(null),
  };
  const [connection, setConnection] = useState<WebcamConnection | null>(null);
  const [devices, setDevices] = useState<MediaDeviceInfo[]>([]);
  const [deviceId, setDeviceId] = useState("");
  const [dropped, setDropped] = useState("");

  useEffect(() => {
    const video = refs.video.current!;
    const overlay = new FaceOverlay(refs.faces.current!);
    const grabber = new Grabber(video, SENT_SIDE_PX);
    let stream: MediaStream | null = null;
    let opened: WebcamConnection | null = null;
    let gone = false;
    let heardAtMs = performance.now();
    const aged = window.setInterval(() => {
      if (performance.now() - heardAtMs > OLD_AFTER_MS) overlay.clear();
    }, 500);
    async function begin() {
      try {
        stream = await openCamera(video, deviceId || undefined);
      } catch (error) {
        if (!gone) end(cameraErrorWords(error));
        return;
      }
      if (gone) return closeCamera(stream);
      const ratio = video.videoWidth / video.videoHeight;
      refs.stage.current?.style.setProperty("--picture-ratio", String(ratio));
      stream.getVideoTracks()[0]?.addEventListener("ended", () => end("the camera was unplugged"));
      void listCameras().then((found) => !gone && setDevices(found));
      opened = new WebcamConnection(grabber, withEmotion, {
        faces(frame, latencyMs) {
          heardAtMs = performance.now();
          setDropped("");
          overlay.show(mirrorFrame(frame));
          presence.add(frame);
          offerFaces(frame, grabber.canvas);
          if (latencyMs !== null && refs.figures.current) {
            refs.figures.current.textContent = `${Math.round(latencyMs)} ms`;
            refs.stage.current!.dataset["latencyMs"] = String(Math.round(latencyMs));
          }
        },
        dropped: setDropped,
      });
      opened.start();
      setConnection(opened);
    }
    void begin();
    return () => {
      gone = true;
      clearInterval(aged);
      opened?.stop();
      overlay.clear();
      closeCamera(stream);
    };
    // `end` is new with each render and must not open the camera again.
  }, [withEmotion, deviceId]);

  return (
    <div className="live live--focus webcam">
      <div>
        <div ref={refs.stage} className="webcam__stage" data-testid="webcam">
          <video ref={refs.video} className="webcam__video" muted playsInline aria-label="Your own picture" />
          <div ref={refs.faces} className="tile__faces" />
          {connection ? (
            <State connection={connection} end={end} />
          ) : (
            <Waiting words="Waiting for the camera… Allow it if the browser asks." />
          )}
        </div>
        <footer className="webcam__foot">
          {connection && <CameraName connection={connection} />}
          <span
            ref={refs.figures}
            className="count"
            title="From what you do to who you are, on this screen"
          />
          {devices.length > 1 && (
            <select
              aria-label="Camera"
              value={deviceId}
              onChange={(event) => {
                setConnection(null);
                setDeviceId(event.target.value);
              }}
            >
              <option value="">Front camera</option>
              {devices.map((device, index) => (
                <option key={device.deviceId} value={device.deviceId}>
                  {device.label || `Camera ${index + 1}`}
                </option>
              ))}
            </select>
          )}
          <button type="button" className="button" onClick={() => end("")}>
            Stop
          </button>
        </footer>
        {dropped && <Notice tone="warn">{sentence(dropped)}</Notice>}
      </div>
      <aside className="live__side">{connection && <InView connection={connection} />}</aside>
    </div>
  );
}

function State({ connection, end }: { connection: WebcamConnection; end: (reason: string) => void }) {
  const state = useStore<WebcamState>(connection.state);
  useEffect(() => {
    if (state.kind === "over") end(state.reason || "the connection was closed");
  }, [state]);
  if (state.kind === "connecting") return <Waiting words="Connecting…" />;
  if (state.kind === "lost") return <Waiting words="Connection lost. Reconnecting by itself…" />;
  return null;
}

function Waiting({ words }: { words: string }) {
  return (
    <div className="webcam__waiting" role="status">
      <span className="spinner" />
      <span>{words}</span>
    </div>
  );
}

function CameraName({ connection }: { connection: WebcamConnection }) {
  const state = useStore(connection.state);
  if (state.kind !== "open") return <h2 className="webcam__name">Webcam</h2>;
  const purpose = state.camera.emotion_purpose;
  return (
    <h2 className="webcam__name">
      {state.camera.name}
      {purpose && (
        <span className="badge badge--emotion" title={`Emotion reading is on. Purpose: ${purpose}`}>
          <Icon name="mood" /> Emotions
        </span>
      )}
    </h2>
  );
}

function InView({ connection }: { connection: WebcamConnection }) {
  const state = useStore(connection.state);
  const { data } = useResource(cameras, 10_000);
  if (state.kind !== "open") return null;
  return <WhoIsHere cameras={data ?? []} cameraId={state.camera.camera_id} />;
}
