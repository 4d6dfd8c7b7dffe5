import { useEffect, useMemo, useRef, useState, type DragEvent } from "react";
import { api, uploadPhotos } from "../api/client";
import { ApiError } from "../api/errors";
import { Resource, useResource } from "../api/resource";
import type { Photo } from "../api/types";
import { Icon } from "../ui/Icon";
import { Notice, Pill } from "../ui/parts";
import { toast } from "../ui/Toasts";
import { qualityWords, rejectionWords } from "../words";
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
          <PhotoCard key={photo.photo_id} photo={photo} remove={() => void remove(photo)} />
        ))}
      </ul>
    </section>
  );
}

function PhotoCard({ photo, remove }: { photo: Photo; remove: () => void }) {
  const [broken, setBroken] = useState(false);
  return (
    <li className={`photo photo--${photo.status}`} data-testid="photo" data-status={photo.status}>
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
      <small title={photo.filename}>{photo.filename}</small>
    </li>
  );
}

function PhotoStatus({ photo }: { photo: Photo }) {
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
