import { useEffect, useMemo, useRef, useState, type DragEvent } from "react";
import { api, uploadPhotos } from "../api/client";
import { ApiError } from "../api/errors";
import { Resource, useResource } from "../api/resource";
import type { Photo } from "../api/types";
import { Icon } from "../ui/Icon";
import { Notice } from "../ui/parts";
import { toast } from "../ui/Toasts";
import { badgeWords, type PhotoPlace } from "../words";
import { told } from "./denyPerson";
import { PhotoAdvice } from "./PeoplePage";
import { PhotoCard, type PhotoActions } from "./PhotoCard";
import { batches } from "./photoBatches";

const WHILE_PENDING_MS = 1_000;

/** A person's photos, and where more are dropped. */
export function Photos({ personId, onSettled }: { personId: string; onSettled: () => void }) {
  const resource = useMemo(() => new Resource(() => api.photos(personId)), [personId]);
  const { data: photos, error } = useResource(resource);
  const pending = photos?.filter(({ badge }) => !badge).length ?? 0;
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

  async function move(photo: Photo, to: { person_id: string; name: string }) {
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
      {photos && (
        <PhotoGrid
          photos={photos}
          actions={{
            remove: (photo) => void remove(photo),
            setAside: (photo, aside) => void edit(photo, { set_aside: aside }),
            move: (photo, to) => void move(photo, to),
          }}
        />
      )}
    </section>
  );
}

const PLACES: { place: PhotoPlace; title: string; words?: string }[] = [
  {
    place: "to_decide",
    title: "Have a look",
    words: "These may show somebody else. A red one is not used until you say so.",
  },
  { place: "in_use", title: "In use" },
  { place: "not_used", title: "Not used" },
];

/** The photos, those that somebody should decide on in front. */
function PhotoGrid({ photos, actions }: { photos: Photo[]; actions: PhotoActions }) {
  const there = PLACES.map(({ place, ...head }) => ({
    ...head,
    place,
    photos: photos.filter((photo) => badgeWords(photo).place === place),
  })).filter((group) => group.photos.length > 0);
  return there.map((group) => (
    <div className="photos__group" key={group.place}>
      {there.length > 1 && (
        <h3>
          {group.title} <span className="count">{group.photos.length}</span>
        </h3>
      )}
      {group.words && <p className="hint">{group.words}</p>}
      <ul className="photos__grid">
        {group.photos.map((photo) => (
          <PhotoCard key={photo.photo_id} photo={photo} actions={actions} />
        ))}
      </ul>
    </div>
  ));
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
