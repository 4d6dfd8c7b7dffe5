import { useEffect, useReducer, useState } from "react";
import { api } from "../api/client";
import { ApiError } from "../api/errors";
import type { Camera, Zone } from "../api/types";
import { cameras } from "../live/live";
import { Tile } from "../live/Tile";
import { Icon, IconButton } from "../ui/Icon";
import { Notice } from "../ui/parts";
import { toast } from "../ui/Toasts";
import { beginEditing, canUndo, edit, isSame, MOST_ZONES, storable, type Ignores } from "./editing";
import { ZoneCanvas } from "./ZoneCanvas";

/** Changes by camera that were not saved yet; they wait while another page is looked at. */
const unsaved = new Map<string, readonly Zone[]>();

/** A camera's live picture with its zones over it, and what may be done to them. */
export function ZoneEditor({ camera }: { camera: Camera }) {
  const [state, dispatch] = useReducer(
    edit,
    unsaved.get(camera.camera_id) ?? camera.ignored_zones,
    beginEditing,
  );
  const [saved, setSaved] = useState<readonly Zone[]>(camera.ignored_zones);
  const [failure, setFailure] = useState<string>();
  const [busy, setBusy] = useState(false);
  const isDrawing = state.drawing !== null;
  const isChanged = !isSame(state.zones, saved);

  // Somebody else's change is taken over, unless it would cost what is being drawn here.
  const stored = JSON.stringify(camera.ignored_zones);
  useEffect(() => {
    const zones = JSON.parse(stored) as Zone[];
    if (!isChanged && !isDrawing && !isSame(zones, saved)) dispatch({ kind: "load", zones });
    setSaved(zones);
  }, [stored]);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (isTyping(event.target)) return;
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !event.shiftKey) {
        event.preventDefault();
        dispatch({ kind: isDrawing ? "take_back_point" : "undo" });
      } else if (event.key === "Escape") dispatch({ kind: "cancel" });
      else if (isDrawing && event.key === "Enter") {
        event.preventDefault();
        dispatch({ kind: "finish" });
      } else if (isDrawing && event.key === "Backspace") dispatch({ kind: "take_back_point" });
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [isDrawing]);

  useEffect(() => {
    if (isChanged) unsaved.set(camera.camera_id, state.zones);
    else unsaved.delete(camera.camera_id);
  }, [isChanged, state.zones, camera.camera_id]);

  useEffect(() => {
    if (!isChanged) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [isChanged]);

  async function store(zones: readonly Zone[]): Promise<boolean> {
    setBusy(true);
    setFailure(undefined);
    try {
      const edited = await api.editCamera(camera.camera_id, { ignored_zones: storable(zones) });
      setSaved(edited.ignored_zones);
      dispatch({ kind: "load", zones: edited.ignored_zones });
      await cameras.refresh();
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setFailure(error.message);
      return false;
    } finally {
      setBusy(false);
    }
  }

  async function save() {
    const before = saved;
    if (!(await store(state.zones))) return;
    toast("Zones are saved.", { label: "Undo", run: () => void store(before) });
  }

  return (
    <section className="zone-editor" aria-label="Picture and zones">
      <Tile camera={camera} overlay={<ZoneCanvas state={state} dispatch={dispatch} />} />
      <div className="panel">
        <header className="panel__head">
          <h2>Zones to ignore</h2>
          <div className="zone-editor__actions">
            {state.drawing ? (
              <>
                <button type="button" className="button" onClick={() => dispatch({ kind: "cancel" })}>
                  Cancel
                </button>
                <button
                  type="button"
                  className="button button--main"
                  disabled={state.drawing.length < 3}
                  onClick={() => dispatch({ kind: "finish" })}
                >
                  Finish zone
                </button>
              </>
            ) : (
              <button
                type="button"
                className="button"
                disabled={state.zones.length >= MOST_ZONES}
                onClick={() => dispatch({ kind: "draw" })}
              >
                <Icon name="plus" /> Draw a zone
              </button>
            )}
          </div>
        </header>
        {failure && <Notice tone="bad">{failure}</Notice>}
        {isDrawing ? (
          <p className="hint" role="status">
            Click the zone's corners in the picture; the first corner, or Enter, closes it. Backspace takes a
            corner back, Escape gives up.
          </p>
        ) : (
          <ZoneList zones={state.zones} selected={state.selected} dispatch={dispatch} />
        )}
        {!isDrawing && (isChanged || canUndo(state)) && (
          <div className="form__actions">
            <button
              type="button"
              className="button"
              disabled={!canUndo(state)}
              onClick={() => dispatch({ kind: "undo" })}
            >
              Undo
            </button>
            <button
              type="button"
              className="button"
              disabled={!isChanged}
              onClick={() => dispatch({ kind: "load", zones: saved })}
            >
              Discard changes
            </button>
            <button
              type="button"
              className="button button--main"
              disabled={!isChanged || busy}
              onClick={() => void save()}
            >
              {busy ? "Saving…" : "Save zones"}
            </button>
          </div>
        )}
      </div>
    </section>
  );
}

interface ListProps {
  zones: readonly Zone[];
  selected: number | null;
  dispatch: React.Dispatch<Parameters<typeof edit>[1]>;
}

function ZoneList({ zones, selected, dispatch }: ListProps) {
  const rectangle = (
    <button type="button" className="link" onClick={() => dispatch({ kind: "add_rectangle" })}>
      start from a rectangle
    </button>
  );
  if (zones.length === 0)
    return (
      <p className="muted">
        None yet. Draw one over a tree, a screen or a poster, or {rectangle}. Where movement is ignored, faces
        still count; where everything is, they don't.
      </p>
    );
  return (
    <>
      <ul className="zone-list">
        {zones.map((zone, index) => (
          <li key={index} data-selected={index === selected || undefined} data-testid="zone-row">
            <button
              type="button"
              className="link"
              aria-pressed={index === selected}
              onClick={() => dispatch({ kind: "select", zone: index })}
            >
              Zone {index + 1}
            </button>
            <IgnoresChoice
              zone={zone}
              index={index}
              choose={(ignores) => dispatch({ kind: "set_ignores", zone: index, ignores })}
            />
            <IconButton
              icon="trash"
              words={`Delete zone ${index + 1}`}
              onClick={() => dispatch({ kind: "remove_zone", zone: index })}
            />
          </li>
        ))}
      </ul>
      <p className="hint">
        Where movement is ignored, faces still count; where everything is, they don't. Drag a zone or its
        corners, pull a new corner out of an edge, or {rectangle}.
      </p>
    </>
  );
}

function IgnoresChoice({
  zone,
  index,
  choose,
}: {
  zone: Zone;
  index: number;
  choose: (ignores: Ignores) => void;
}) {
  return (
    <fieldset className="segments segments--small">
      <legend className="hidden">What zone {index + 1} ignores</legend>
      {(["movement", "everything"] as const).map((ignores) => (
        <label key={ignores}>
          <input
            type="radio"
            name={`zone-${index}`}
            checked={zone.ignores === ignores}
            onChange={() => choose(ignores)}
          />
          <span>{ignores === "movement" ? "Movement" : "Everything"}</span>
        </label>
      ))}
    </fieldset>
  );
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLTextAreaElement ||
  target instanceof HTMLSelectElement ||
  (target instanceof HTMLInputElement && target.type !== "radio");
