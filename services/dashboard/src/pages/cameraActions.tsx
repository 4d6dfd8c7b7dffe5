import { api } from "../api/client";
import { ApiError } from "../api/errors";
import type { Camera } from "../api/types";
import { cameras } from "../live/live";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import { toast } from "../ui/Toasts";

/** Turns a camera on and off. */
export function Switch({ camera }: { camera: Camera }) {
  const change = () =>
    attempt(async () => {
      await api.editCamera(camera.camera_id, { enabled: !camera.enabled });
      await cameras.refresh();
    });
  return (
    <label className="switch">
      <input type="checkbox" role="switch" checked={camera.enabled} onChange={() => void change()} />
      <span className="switch__knob" aria-hidden="true" />
      <span>{camera.enabled ? "On" : "Off"}</span>
      <span className="hidden">{camera.name}</span>
    </label>
  );
}

interface RemoveProps {
  camera: Camera;
  close: () => void;
  /** After a removal is undone, to type the password in again. */
  editAgain: (camera: Camera) => void;
  onRemoved?: () => void;
}

/** Asks before a camera is removed, and offers to undo it afterwards. */
export function RemoveDialog({ camera, close, editAgain, onRemoved }: RemoveProps) {
  const remove = () =>
    attempt(async () => {
      await api.removeCamera(camera.camera_id);
      close();
      onRemoved?.();
      await cameras.refresh();
      const run = () => void attempt(() => addAgain(camera, editAgain));
      toast(`Removed ${camera.name}.`, { label: "Undo", run });
    });
  return (
    <ConfirmDialog title={`Remove ${camera.name}?`} action="Remove" onConfirm={remove} onClose={close}>
      <p>Mien stops reading this camera. What it has seen stays in the history.</p>
    </ConfirmDialog>
  );
}

/** Passwords never leave the back end, so one that was removed must be typed again. */
async function addAgain(camera: Camera, editAgain: (camera: Camera) => void): Promise<void> {
  const {
    has_password,
    partition: _partition,
    revision: _revision,
    status: _status,
    fitness: _fitness,
    source: _source,
    emotion_set_by: _emotionSetBy,
    emotion_set_at_ns: _emotionSetAt,
    tiredness_set_by: _tirednessSetBy,
    tiredness_set_at_ns: _tirednessSetAt,
    ...fields
  } = camera;
  const added = await api.addCamera(fields);
  await cameras.refresh();
  if (!has_password) return toast(`${camera.name} is back.`);
  toast(`${camera.name} is back, without its password.`, {
    label: "Enter it",
    run: () => editAgain(added),
  });
}

/** Do something whose failure is told in a toast. */
export async function attempt(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast(error.message);
  }
}
