import { useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { useResource } from "../api/resource";
import type { Camera } from "../api/types";
import { cameras, useCameraStatus } from "../live/live";
import { Dialog } from "../ui/Dialog";
import { Icon } from "../ui/Icon";
import { EmptyState, Notice, PageHead, Pill, useNow } from "../ui/parts";
import { toast } from "../ui/Toasts";
import { adviceWords, clockWords, isBrowser, mainStreamWords, retryWords, stateWords } from "../cameraWords";
import { durationWords } from "../words";
import { ZoneEditor } from "../zones/ZoneEditor";
import { CameraLooksPanel } from "../looks/CameraLooksPanel";
import { RemoveDialog, Switch } from "./cameraActions";
import { KIND_NAMES } from "./cameraFields";
import { CameraForm } from "./CameraForm";
import { CertificateNotice } from "./CertificateNotice";
import { FitnessPanel } from "./FitnessPanel";
import { scheduleWords } from "./schedule";
import { UptimePanel } from "./UptimePanel";
import { WorkPanel } from "./WorkPanel";

/** One camera: its picture with its zones, how it is, how fit for faces, and what was saved. */
export function CameraPage() {
  const { cameraId = "" } = useParams();
  const { data, error } = useResource(cameras, 10_000);
  const camera = data?.find((one) => one.camera_id === cameraId);
  if (!data) return error ? <Notice tone="bad">{error.message}</Notice> : null;
  return camera ? <KnownCamera key={cameraId} camera={camera} /> : <NoSuchCamera />;
}

function NoSuchCamera() {
  return (
    <EmptyState
      icon="camera"
      title="This camera is not here any more"
      action={
        <Link className="button" to="/cameras">
          All cameras
        </Link>
      }
    >
      <p>It may have been removed meanwhile.</p>
    </EmptyState>
  );
}

function KnownCamera({ camera }: { camera: Camera }) {
  const navigate = useNavigate();
  const [open, setOpen] = useState<"edit" | "remove" | null>(null);
  const status = useCameraStatus(camera);
  const words = stateWords(camera, status);
  const close = () => setOpen(null);
  const saved = () => {
    close();
    void cameras.refresh();
    toast(`${camera.name} is saved.`);
  };
  return (
    <>
      <Link to="/cameras" className="back">
        <Icon name="back" /> Cameras
      </Link>
      <PageHead title={camera.name}>
        <Switch camera={camera} />
        <Link className="button" to={`/?camera=${encodeURIComponent(camera.camera_id)}`}>
          <Icon name="live" /> Watch
        </Link>
        <button type="button" className="button" onClick={() => setOpen("edit")}>
          <Icon name="edit" /> Edit
        </button>
        <button type="button" className="button button--danger" onClick={() => setOpen("remove")}>
          Remove
        </button>
      </PageHead>
      {words.long && words.tone !== "good" && (
        <Notice tone={words.tone}>
          {words.long} <RetryWords camera={camera} />
          {adviceWords(camera, status) && <p>{adviceWords(camera, status)}</p>}
        </Notice>
      )}
      <CertificateNotice camera={camera} />
      <div className="columns columns--camera">
        <div>
          <ZoneEditor camera={camera} />
          <CameraLooksPanel camera={camera} />
          <Facts camera={camera} />
        </div>
        <div>
          <UptimePanel camera={camera} />
          <FitnessPanel camera={camera} />
          <WorkPanel cameraId={camera.camera_id} />
        </div>
      </div>
      {open === "edit" && (
        <Dialog title={`Edit ${camera.name}`} onClose={close}>
          <CameraForm camera={camera} onSaved={saved} onCancel={close} />
        </Dialog>
      )}
      {open === "remove" && (
        <RemoveDialog
          camera={camera}
          close={close}
          editAgain={(back) => void navigate(`/cameras/${encodeURIComponent(back.camera_id)}`)}
          onRemoved={() => void navigate("/cameras")}
        />
      )}
    </>
  );
}

function RetryWords({ camera }: { camera: Camera }) {
  const words = retryWords(useCameraStatus(camera), useNow(1_000));
  return words ? <span className="muted">Next attempt {words}.</span> : null;
}

function Facts({ camera }: { camera: Camera }) {
  const status = useCameraStatus(camera);
  const now = useNow(5_000);
  const words = stateWords(camera, status);
  const [width, height] = status.size_wh ?? [0, 0];
  const mainStream = mainStreamWords(camera, status);
  const clock = clockWords(status.clock_skew_seconds);
  const dropped = Object.entries(status.dropped).filter(([, count]) => count > 0);
  return (
    <section className="panel">
      <h2>This camera</h2>
      <dl className="facts">
        <dt>State</dt>
        <dd>
          <Pill tone={words.tone}>{words.short}</Pill>
          {status.since_ns > 0 && <small>for {durationWords(now - status.since_ns / 1e6)}</small>}
        </dd>
        <dt>Address</dt>
        <dd className="address" title={camera.url}>
          {isBrowser(camera) ? "A browser's webcam" : camera.url}
        </dd>
        {camera.source && (
          <>
            <dt>Kind</dt>
            <dd>
              {KIND_NAMES[camera.source]}
              {camera.transport === "udp" && <small>over UDP</small>}
              {camera.certificate_sha256 && <small>its own certificate is accepted</small>}
            </dd>
          </>
        )}
        <dt>Picture</dt>
        <dd>
          {width > 0 ? `${width} × ${height} ${status.codec?.toUpperCase() ?? ""}` : "Not known yet"}
          {width > camera.frame_width_px && <small>scaled down to {camera.frame_width_px} px</small>}
        </dd>
        <dt>Main stream</dt>
        <dd>
          {mainStream.tone === "off" ? (
            <span className="muted">{mainStream.words}</span>
          ) : (
            <Pill tone={mainStream.tone}>{mainStream.words}</Pill>
          )}
        </dd>
        <dt>Pictures</dt>
        <dd>
          {words.delivers
            ? `${status.captured_fps.toFixed(0)} a second, ${status.published_fps.toFixed(1)} sampled`
            : `Up to ${camera.sampled_fps} a second sampled`}
          {status.keyframes_only && <small>keyframes only</small>}
        </dd>
        <dt>Its clock</dt>
        <dd>
          {clock.tone === "off" || clock.tone === "good" ? (
            <span className="muted">{clock.words}</span>
          ) : (
            <Pill tone={clock.tone}>{clock.words}</Pill>
          )}
        </dd>
        {camera.schedule && (
          <>
            <dt>Open</dt>
            <dd>
              {scheduleWords(camera.schedule)}
              <small>{camera.schedule.time_zone}</small>
            </dd>
          </>
        )}
        <dt>Smallest face</dt>
        <dd>{camera.min_face_px} px</dd>
        {status.reconnects > 0 && (
          <>
            <dt>Opened again</dt>
            <dd>{status.reconnects} times</dd>
          </>
        )}
        {dropped.length > 0 && (
          <>
            <dt>Given up</dt>
            <dd>{dropped.map(([reason, count]) => `${count} ${reason.replaceAll("_", " ")}`).join(", ")}</dd>
          </>
        )}
      </dl>
    </section>
  );
}
