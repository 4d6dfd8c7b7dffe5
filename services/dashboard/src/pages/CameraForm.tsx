import { useState, type ChangeEvent, type FormEvent } from "react";
import { api } from "../api/client";
import { ApiError, fieldErrors, type FieldErrors } from "../api/errors";
import type { Camera } from "../api/types";
import { ReadingFields } from "../looks/ReadingFields";
import { Field, Notice } from "../ui/parts";
import {
  FIELD_HINTS,
  isHttp,
  KIND_NAMES,
  kindOf,
  requestOf,
  valuesOf,
  type CameraFormValues,
} from "./cameraFields";
import { ScheduleField } from "./ScheduleField";

interface CameraFormProps {
  /** Absent for a new one. */
  camera?: Camera;
  onSaved: (camera: Camera) => void;
  onCancel: () => void;
}

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

export function CameraForm({ camera, onSaved, onCancel }: CameraFormProps) {
  const [values, setValues] = useState(() => valuesOf(camera));
  const [errors, setErrors] = useState<FieldErrors>({});
  const [failure, setFailure] = useState<string>();
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setFailure(undefined);
    setErrors({});
    try {
      onSaved(await save(values, camera));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const fields = fieldErrors(error, FIELD_HINTS);
      setErrors(fields);
      if (!Object.keys(fields).some((field) => field in values)) setFailure(error.message);
      setBusy(false);
    }
  }

  const bind = (name: Exclude<keyof CameraFormValues, "removePassword" | "schedule">) => ({
    name,
    value: values[name],
    onChange: (event: ChangeEvent<Control>) => setValues({ ...values, [name]: event.target.value }),
  });
  const kind = values.kind || kindOf(values.url);
  return (
    <form className="form" onSubmit={(event) => void submit(event)} data-testid="camera-form">
      {failure && <Notice tone="bad">{failure}</Notice>}
      <Field label="Name" error={errors["name"]}>
        <input {...bind("name")} required maxLength={200} placeholder="Front door" />
      </Field>
      <Field label="Address" error={errors["url"]} help={ADDRESS_HELP}>
        <input
          {...bind("url")}
          required
          inputMode="url"
          autoCapitalize="none"
          spellCheck={false}
          placeholder="rtsp://192.168.1.20:554/stream1"
        />
      </Field>
      {isHttp(values.url) && (
        <Field label="What is there" error={errors["kind"]} help={KIND_HELP}>
          <select {...bind("kind")}>
            <option value="">By the address: {KIND_NAMES[kindOf(values.url) ?? "mjpeg"]}</option>
            <option value="mjpeg">{KIND_NAMES.mjpeg}</option>
            <option value="snapshot">{KIND_NAMES.snapshot}</option>
            <option value="hls">{KIND_NAMES.hls}</option>
          </select>
        </Field>
      )}
      <Field label="Main stream, optional" error={errors["main_stream_url"]} help={MAIN_STREAM_HELP}>
        <input
          {...bind("main_stream_url")}
          inputMode="url"
          autoCapitalize="none"
          spellCheck={false}
          placeholder="rtsp://192.168.1.20:554/stream0"
        />
      </Field>
      <div className="form__pair">
        <Field label="User name" error={errors["username"]}>
          <input {...bind("username")} autoComplete="off" autoCapitalize="none" />
        </Field>
        <Field label="Password" error={errors["password"]}>
          <input
            {...bind("password")}
            type="password"
            autoComplete="new-password"
            placeholder={camera?.has_password ? "Unchanged" : ""}
          />
        </Field>
      </div>
      {camera?.has_password && (
        <label className="tick">
          <input
            type="checkbox"
            checked={values.removePassword}
            onChange={(event) => setValues({ ...values, removePassword: event.target.checked })}
          />
          This camera needs no password any more
        </label>
      )}
      <div className="form__pair">
        <Field
          label="Pictures per second"
          error={errors["sampled_fps"]}
          help="Looked at for faces. 5 is enough for people who walk."
        >
          <input {...bind("sampled_fps")} type="number" min={0.2} max={30} step="any" required />
        </Field>
        <Field
          label="Smallest face, pixels"
          error={errors["min_face_px"]}
          help="Smaller finds people farther away and costs more work."
        >
          <input {...bind("min_face_px")} type="number" min={20} max={1000} step={1} required />
        </Field>
      </div>
      <Field
        label="Picture width, pixels"
        error={errors["frame_width_px"]}
        help="Wider pictures are scaled down to this before faces are looked for."
      >
        <input {...bind("frame_width_px")} type="number" min={160} max={3840} step={1} required />
      </Field>
      <details className="more">
        <summary>How it is read</summary>
        <div className="form">
          <div className="form__pair">
            {kind === "rtsp" && (
              <Field label="Transport" error={errors["transport"]} help="TCP loses nothing on the way.">
                <select {...bind("transport")}>
                  <option value="tcp">TCP</option>
                  <option value="udp">UDP, if the camera knows nothing else</option>
                </select>
              </Field>
            )}
            <Field
              label="JPEG quality"
              error={errors["jpeg_quality"]}
              help="30 to 100, empty for the usual 80. Cameras that send JPEGs keep their own."
            >
              <input {...bind("jpeg_quality")} type="number" min={30} max={100} step={1} />
            </Field>
          </div>
          <Field label="Pictures decoded" error={errors["decode"]} help={DECODE_HELP}>
            <select {...bind("decode")}>
              <option value="auto">As many as are needed</option>
              <option value="keyframes">Keyframes only, the cheapest</option>
              <option value="all">All</option>
            </select>
          </Field>
          {(kind === "rtsp" || kind === "hls") && (
            <Field label="Decoding" error={errors["loop_filter"]} help={LOOP_FILTER_HELP}>
              <select {...bind("loop_filter")}>
                <option value="on">Exact</option>
                <option value="off">Faster, without the loop filter</option>
              </select>
            </Field>
          )}
        </div>
      </details>
      <ScheduleField
        value={values.schedule}
        error={errors["schedule"]}
        onChange={(schedule) => setValues({ ...values, schedule })}
      />
      <Field label="Names" error={errors["identity_policy"]}>
        <select {...bind("identity_policy")}>
          <option value="on">Recognise enrolled people</option>
          <option value="off">Find faces only, no names</option>
        </select>
      </Field>
      <ReadingFields values={values} errors={errors} bind={bind} />
      <div className="form__actions">
        <button type="button" className="button" onClick={onCancel}>
          Cancel
        </button>
        <button className="button button--main" disabled={busy}>
          {busy ? "Saving…" : camera ? "Save" : "Add camera"}
        </button>
      </div>
    </form>
  );
}

const ADDRESS_HELP = (
  <>
    <code>rtsp://</code> or <code>rtsps://</code> for most cameras, <code>http(s)://</code> for JPEGs and HLS,{" "}
    <code>usb:/dev/video0</code> for one on this machine, <code>file:///videos/door.mp4</code> for a video. A
    user name and password in it are moved to the fields below.
  </>
);

const MAIN_STREAM_HELP =
  "The large stream of the same camera. Faces are looked for in the small one above, and cut out of this one's " +
  "picture of the same moment. It opens with the same user name and password.";

const KIND_HELP = "The address alone does not always tell.";

const DECODE_HELP =
  "Keyframes come every second or so. Where they are as many as pictures are looked at, no others are decoded.";

const LOOP_FILTER_HELP =
  "Faster costs about an eighth less and makes pictures a little coarser. It suits cameras that send a keyframe " +
  "every two seconds or so. A main stream is always decoded exactly.";

function save(values: CameraFormValues, camera?: Camera): Promise<Camera> {
  const request = requestOf(values);
  return camera ? api.editCamera(camera.camera_id, request) : api.addCamera(request);
}
