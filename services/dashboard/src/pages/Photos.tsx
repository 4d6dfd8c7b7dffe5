import { useEffect, useMemo, useRef, useState, type DragEvent } from "react";
import { api, uploadPhotos } from "../api/client";
import { ApiError } from "../api/errors";
import { Resource, useResource } from "../api/resource";
import type { Person, Photo } from "../api/types";
import { people } from "../live/live";
import { Icon } from "../ui/Icon";
import { Notice, Pill } from "../ui/parts";
import { toast } from "../ui/Toasts";
import { qualityWords, rejectionWords } from "../words";
import { told } from "./denyPerson";
import { PhotoAdvice } from "./PeoplePage";
import { batches } from "./photoBatches";

const WHILE_PENDING_MS = 1_000;

/** A person's photos, and where more are dropped. */
export function Photos({ personId, onSettled }: { personId: string; onSettled: () => void }) {
  const resource = useMemo(() => new Resource(() => api.photos(personId)), [personId]);
  const { data: photos, error } = useResource(resource);
  const pending = photos?.filter(({ status }) => status === "pending").length ?? 0;
  useEffect(() => {
    if (pending === 0) return;
    const timer = setInterval(() => void resource.refresh(), WHILE_PENDING_MS);
    return () => {
      clearInterval(timer);
      onSettled();
    };
    // A new `onSettled` must not restart the clock.
  }, [pending, resource]);

  async function remove(photo: Photo) {
    try {
      await api.removePhoto(personId, photo.photo_id);
      await resource.refresh();
      onSettled();
    } catch (caught) {
      if (!(caught instanceof ApiError)) throw caught;
      toast(caught.message);
    }
  }

  const edit = (photo: Photo, changes: { person_id?: string; set_aside?: boolean }) =>
    told(async () => {
      await api.editPhoto(personId, photo.photo_id, changes);
      await resource.refresh();
      onSettled();
    });

  async function move(photo: Photo, to: Person) {
    if (!(await edit(photo, { person_id: to.person_id }))) return;
    toast(`Moved to ${to.name}.`, {
      label: "Undo",
      run: () =>
        void told(async () => {
          await api.editPhoto(to.person_id, photo.photo_id, { person_id: personId });
          await resource.refresh();
          onSettled();
        }),
    });
  }

  return (
    <section className="panel photos">
      <h2>Photos {photos && photos.length > 0 && <span className="count">{photos.length}</span>}</h2>
      {error && <Notice tone="bad">{error.message}</Notice>}
      <DropZone
        personId={personId}
        onUploaded={() => {
          void resource.refresh();
          onSettled();
        }}
      />
      {photos?.length === 0 && <PhotoAdvice />}
      <ul className="photos__grid">
        {photos?.map((photo) => (
          <PhotoCard
            key={photo.photo_id}
            photo={photo}
            remove={() => void remove(photo)}
            setAside={(aside) => void edit(photo, { set_aside: aside })}
            move={(to) => void move(photo, to)}
          />
        ))}
      </ul>
    </section>
  );
}

interface PhotoCardProps {
  photo: Photo;
  remove: () => void;
  setAside: (aside: boolean) => void;
  move: (to: Person) => void;
}

function PhotoCard({ photo, remove, setAside, move }: PhotoCardProps) {
  const [broken, setBroken] = useState(false);
  const look = photo.set_aside ? "rejected" : photo.status;
  return (
    <li className={`photo photo--${look}`} data-testid="photo" data-status={photo.status}>
      <div className="photo__picture">
        {photo.image_url && !broken ? (
          <img src={photo.image_url} alt={photo.filename} loading="lazy" onError={() => setBroken(true)} />
        ) : (
          <Icon name="alert" />
        )}
        <button
          type="button"
          className="icon-button"
          onClick={remove}
          aria-label={`Delete ${photo.filename}`}
        >
          <Icon name="trash" />
        </button>
      </div>
      <PhotoStatus photo={photo} />
      {photo.status === "enrolled" && (
        <div className="photo__actions">
          <button type="button" className="link" onClick={() => setAside(!photo.set_aside)}>
            {photo.set_aside ? "Use again" : "Set aside"}
          </button>
          <MoveTo from={photo.person_id} move={move} />
        </div>
      )}
      <small title={photo.filename}>{photo.filename}</small>
    </li>
  );
}

/** Whose photo it is, where it was put under the wrong name. */
function MoveTo({ from, move }: { from: string; move: (to: Person) => void }) {
  const others = (useResource(people).data ?? []).filter(({ person_id }) => person_id !== from);
  if (others.length === 0) return null;
  return (
    <select
      className="link-select"
      aria-label="Move to another person"
      value=""
      onChange={(event) => {
        const to = others.find(({ person_id }) => person_id === event.target.value);
        if (to) move(to);
      }}
    >
      <option value="">Move to…</option>
      {others.map((person) => (
        <option key={person.person_id} value={person.person_id}>
          {person.name}
        </option>
      ))}
    </select>
  );
}

function PhotoStatus({ photo }: { photo: Photo }) {
  if (photo.set_aside) return <Pill tone="off">Set aside</Pill>;
  if (photo.status === "pending") {
    return (
      <span className="photo__pending">
        <span className="spinner" /> Looking for the face…
      </span>
    );
  }
  if (photo.status === "rejected") {
    return (
      <>
        <Pill tone="bad">Not used</Pill>
        <p className="photo__why">{rejectionWords(photo)}</p>
      </>
    );
  }
  const quality = typeof photo.quality === "number" ? qualityWords(photo.quality) : null;
  return <Pill tone={quality?.tone ?? "good"}>{quality ? `${quality.word} photo` : "Enrolled"}</Pill>;
}

function DropZone({ personId, onUploaded }: { personId: string; onUploaded: () => void }) {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [share, setShare] = useState<number | null>(null);
  const [problems, setProblems] = useState<string[]>([]);

  async function upload(files: File[]) {
    const { batches: todo, tooLarge } = batches(files);
    setProblems(tooLarge.map((file) => `${file.name} is larger than 10 MB and was left out.`));
    try {
      for (const [index, batch] of todo.entries()) {
        await uploadPhotos(personId, batch, (sent) => setShare((index + sent) / todo.length));
        onUploaded();
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblems((before) => [...before, error.message]);
    }
    setShare(null);
  }

  function drop(event: DragEvent) {
    event.preventDefault();
    setOver(false);
    void upload([...event.dataTransfer.files]);
  }

  return (
    <div
      className={`drop ${over ? "drop--over" : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <Icon name="upload" />
      <p>
        Drop photos here, or{" "}
        <button type="button" className="link" onClick={() => input.current?.click()}>
          choose files
        </button>
      </p>
      <input
        ref={input}
        type="file"
        accept="image/*"
        multiple
        hidden
        data-testid="photo-input"
        onChange={(event) => {
          void upload([...(event.target.files ?? [])]);
          event.target.value = "";
        }}
      />
      {share !== null && <progress value={share} aria-label="Upload" />}
      {problems.map((problem) => (
        <Notice key={problem} tone="bad">
          {problem}
        </Notice>
      ))}
    </div>
  );
}
