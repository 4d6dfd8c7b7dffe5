import { useState } from "react";
import { Link, useSearchParams } from "react-router";
import { AddCamera } from "../addCamera/AddCamera";
import { ExportButton, ImportButton, ImportCameras } from "../addCamera/ImportCameras";
import { useResource } from "../api/resource";
import type { Camera } from "../api/types";
import { cameras, useCameraStatus } from "../live/live";
import { ReadingBadges } from "../looks/ReadingBadges";
import { Dialog } from "../ui/Dialog";
import { Icon, IconButton } from "../ui/Icon";
import { EmptyState, Notice, PageHead, Pill, useNow } from "../ui/parts";
import { toast } from "../ui/Toasts";
import { isBrowser, retryWords, stateWords } from "../cameraWords";
import { RemoveDialog, Switch } from "./cameraActions";
import { CameraForm } from "./CameraForm";
import { FitnessPill } from "./FitnessPanel";

type Open = { kind: "import" } | { kind: "edit"; camera: Camera } | { kind: "remove"; camera: Camera } | null;

export function CamerasPage() {
  const { data, error } = useResource(cameras, 10_000);
  const [search, setSearch] = useSearchParams();
  const [open, setOpen] = useState<Open>(null);
  const adding = search.has("add");
  const close = () => {
    setOpen(null);
    if (adding) setSearch({}, { replace: true });
  };
  const saved = (camera: Camera) => {
    close();
    void cameras.refresh();
    toast(`${camera.name} is saved.`);
  };
  const addButton = (
    <button type="button" className="button button--main" onClick={() => setSearch({ add: "" })}>
      <Icon name="plus" /> Add a camera
    </button>
  );
  return (
    <>
      <PageHead title="Cameras">
        {data && data.length > 0 && <ExportButton />}
        <ImportButton onClick={() => setOpen({ kind: "import" })} />
        {addButton}
      </PageHead>
      {error && <Notice tone="bad">{error.message}</Notice>}
      {data?.length === 0 && (
        <EmptyState icon="camera" title="No cameras yet" action={addButton}>
          <p>
            Mien looks for cameras in your network. You need the camera's user name and password, and its
            address if it isn't found.
          </p>
        </EmptyState>
      )}
      <ul className="cards cards--cameras">
        {data?.map((camera) => (
          <CameraCard
            key={camera.camera_id}
            camera={camera}
            edit={() => setOpen({ kind: "edit", camera })}
            remove={() => setOpen({ kind: "remove", camera })}
          />
        ))}
      </ul>
      {adding && <AddCamera onSaved={saved} onClose={close} />}
      {open?.kind === "import" && <ImportCameras onClose={close} />}
      {open?.kind === "edit" && (
        <Dialog title={`Edit ${open.camera.name}`} onClose={close}>
          <CameraForm camera={open.camera} onSaved={saved} onCancel={close} />
        </Dialog>
      )}
      {open?.kind === "remove" && (
        <RemoveDialog
          camera={open.camera}
          close={close}
          editAgain={(camera) => setOpen({ kind: "edit", camera })}
        />
      )}
    </>
  );
}

function CameraCard({ camera, edit, remove }: { camera: Camera; edit: () => void; remove: () => void }) {
  const status = useCameraStatus(camera);
  const words = stateWords(camera, status);
  const retry = retryWords(status, useNow(1_000));
  const [width, height] = status.size_wh ?? [0, 0];
  const video = [status.codec?.toUpperCase(), width > 0 && `${width} × ${height}`].filter(Boolean).join(", ");
  return (
    <li
      className="card"
      data-testid="camera-card"
      data-camera-id={camera.camera_id}
      data-state={status.state}
    >
      <Link to={cameraPath(camera)} className="card__picture">
        <Snapshot camera={camera} live={words.delivers} />
      </Link>
      <div className="card__body">
        <header>
          <h2>
            <Link to={cameraPath(camera)}>{camera.name}</Link>
          </h2>
          <Pill tone={words.tone}>
            {words.short} {words.tone === "warn" && retry}
          </Pill>
        </header>
        {words.long && <p className={`card__reason card__reason--${words.tone}`}>{words.long}</p>}
        <p className="address">{isBrowser(camera) ? "A browser's webcam" : camera.url}</p>
        <p className="muted">
          {words.delivers &&
            `${status.captured_fps.toFixed(0)} fps, ${status.published_fps.toFixed(1)} sampled`}
          {words.delivers && video && ` · ${video}`}
          {!words.delivers && `Up to ${camera.sampled_fps} fps sampled`}
        </p>
        <div className="card__badges">
          {camera.demo && <span className="badge">Demo</span>}
          {camera.identity_policy === "off" && <span className="badge">No names</span>}
          <ReadingBadges camera={camera} />
          {camera.fitness.fitness !== "unknown" && <FitnessPill fitness={camera.fitness} />}
        </div>
      </div>
      <div className="card__actions">
        <Switch camera={camera} />
        {!isBrowser(camera) && <IconButton icon="edit" words={`Edit ${camera.name}`} onClick={edit} />}
        <IconButton icon="trash" words={`Remove ${camera.name}`} onClick={remove} />
      </div>
    </li>
  );
}

const SNAPSHOT_EVERY_MS = 15_000;

function Snapshot({ camera, live }: { camera: Camera; live: boolean }) {
  const shot = Math.floor(useNow(SNAPSHOT_EVERY_MS) / SNAPSHOT_EVERY_MS);
  const [loaded, setLoaded] = useState(false);
  const source = `/api/cameras/${encodeURIComponent(camera.camera_id)}/snapshot.jpg?at=${shot}`;
  return (
    <>
      {!(live && loaded) && <Icon name={live ? "camera" : "plug"} />}
      {live && (
        <img
          src={source}
          alt={`What ${camera.name} sees`}
          style={loaded ? undefined : { visibility: "hidden" }}
          onLoad={() => setLoaded(true)}
          onError={() => setLoaded(false)}
        />
      )}
    </>
  );
}

const cameraPath = (camera: Camera): string => `/cameras/${encodeURIComponent(camera.camera_id)}`;
