import { useState, type ReactNode } from "react";
import { useResource } from "../api/resource";
import type { Person, Photo } from "../api/types";
import { people } from "../live/live";
import { Icon, IconButton } from "../ui/Icon";
import { badgeWords, rejectionWords, sentence } from "../words";

export interface PhotoActions {
  remove: (photo: Photo) => void;
  setAside: (photo: Photo, aside: boolean) => void;
  move: (photo: Photo, to: { person_id: string; name: string }) => void;
}

/** A photo with its badge, what is the matter with it, and what can be done about it. */
export function PhotoCard({ photo, actions }: { photo: Photo; actions: PhotoActions }) {
  const { place, tone, label } = badgeWords(photo);
  return (
    <li
      className={`photo photo--${place}`}
      data-testid="photo"
      data-status={photo.status}
      data-place={place}
      data-badge={photo.badge?.level}
    >
      <Picture photo={photo} remove={() => actions.remove(photo)}>
        <span className={`photo-badge photo-badge--${tone}`}>
          {tone === "busy" ? <span className="spinner" /> : <span className={`dot dot--${tone}`} />}
          {label}
        </span>
      </Picture>
      <Findings photo={photo} />
      {photo.status === "enrolled" && <Actions photo={photo} actions={actions} />}
      <small title={photo.filename}>{photo.filename}</small>
    </li>
  );
}

function Picture({ photo, remove, children }: { photo: Photo; remove: () => void; children: ReactNode }) {
  const [broken, setBroken] = useState(false);
  return (
    <div className="photo__picture">
      {photo.image_url && !broken ? (
        <img src={photo.image_url} alt={photo.filename} loading="lazy" onError={() => setBroken(true)} />
      ) : (
        <Icon name="alert" />
      )}
      {children}
      <IconButton icon="trash" words={`Delete ${photo.filename}`} onClick={remove} />
    </div>
  );
}

function Findings({ photo }: { photo: Photo }) {
  if (photo.status === "rejected") return <p className="photo__why">{rejectionWords(photo)}</p>;
  const findings = photo.badge?.findings.filter(({ kind }) => kind !== "by_hand") ?? [];
  if (findings.length === 0) return null;
  return (
    <ul className="photo__why">
      {findings.map(({ kind, words }) => (
        <li key={kind}>{sentence(words)}</li>
      ))}
    </ul>
  );
}

function Actions({ photo, actions }: { photo: Photo; actions: PhotoActions }) {
  const { place } = badgeWords(photo);
  const other =
    photo.other_person_id && photo.other_person_name
      ? { person_id: photo.other_person_id, name: photo.other_person_name }
      : null;
  const isOthers = photo.badge?.findings.some(({ kind }) => kind === "stray") && other;
  return (
    <div className="photo__actions">
      {place === "to_decide" && isOthers && (
        <button type="button" className="link" onClick={() => actions.move(photo, other)}>
          Move to {other.name}
        </button>
      )}
      {photo.set_aside ? (
        <button type="button" className="link" onClick={() => actions.setAside(photo, false)}>
          Use it anyway
        </button>
      ) : (
        <button type="button" className="link" onClick={() => actions.setAside(photo, true)}>
          Set aside
        </button>
      )}
      <MoveTo from={photo.person_id} move={(to) => actions.move(photo, to)} />
    </div>
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
