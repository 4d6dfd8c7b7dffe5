import { useState, type FormEvent } from "react";
import { Link, useNavigate } from "react-router";
import { api } from "../api/client";
import { ApiError, type FieldErrors } from "../api/errors";
import { useResource } from "../api/resource";
import type { Person } from "../api/types";
import { people } from "../live/live";
import { Dialog } from "../ui/Dialog";
import { Icon } from "../ui/Icon";
import { Avatar, EmptyState, Field, Notice, PageHead, Pill } from "../ui/parts";
import { CalibrationPanel } from "./CalibrationPanel";

export function PeoplePage() {
  const { data, error } = useResource(people, 10_000);
  const [adding, setAdding] = useState(false);
  const [query, setQuery] = useState("");
  const matches = data?.filter(({ name }) => name.toLowerCase().includes(query.trim().toLowerCase()));
  const addButton = (
    <button type="button" className="button button--main" onClick={() => setAdding(true)}>
      <Icon name="plus" /> Add a person
    </button>
  );
  const importLink = (
    <Link className="button" to="/people/import">
      <Icon name="upload" /> Import many
    </Link>
  );
  const toLookAt = data?.filter(({ problem_count }) => problem_count > 0).length ?? 0;
  return (
    <>
      <PageHead title="People">
        {data && data.length > 8 && (
          <input
            type="search"
            aria-label="Find a person"
            placeholder="Find…"
            value={query}
            onChange={(event) => setQuery(event.target.value)}
          />
        )}
        {importLink}
        <Link to="/enrol" className="button">
          <Icon name="webcam" /> Enrol at the webcam
        </Link>
        {addButton}
      </PageHead>
      {error && <Notice tone="bad">{error.message}</Notice>}
      {data?.length === 0 && (
        <EmptyState
          icon="people"
          title="Mien knows nobody yet"
          action={
            <div className="empty__actions">
              {addButton}
              {importLink}
            </div>
          }
        >
          <p>Add somebody with a few photos, and their name appears beside their face on every camera.</p>
          <PhotoAdvice />
        </EmptyState>
      )}
      {toLookAt > 0 && (
        <Notice tone="warn">
          {toLookAt === 1 ? "One person has" : `${toLookAt} people have`} photos that may show somebody else.
        </Notice>
      )}
      {data && data.length > 0 && matches?.length === 0 && <p className="muted">Nobody of that name.</p>}
      <ul className="cards cards--people">
        {matches?.map((person) => (
          <PersonCard key={person.person_id} person={person} />
        ))}
      </ul>
      {data && data.some(({ template_count }) => template_count > 0) && <CalibrationPanel />}
      {adding && <AddPerson close={() => setAdding(false)} />}
    </>
  );
}

export function PhotoAdvice() {
  return (
    <ul className="advice">
      <li>Three to five photos, each with only this person.</li>
      <li>Facing the camera, eyes open, no sunglasses.</li>
      <li>Face at least about 150 pixels wide, sharp, evenly lit.</li>
      <li>Different days and light are better than a burst.</li>
    </ul>
  );
}

function PersonCard({ person }: { person: Person }) {
  return (
    <li className={`person-card ${person.active ? "" : "person-card--off"}`} data-testid="person-card">
      <Link to={`/people/${encodeURIComponent(person.person_id)}`}>
        <Avatar name={person.name} src={person.cover_photo_url} large />
        <strong>{person.name}</strong>
        <small>{enrolmentWords(person)}</small>
        {person.problem_count > 0 && (
          <Pill tone="warn">
            {person.problem_count === 1 ? "1 photo to look at" : `${person.problem_count} photos to look at`}
          </Pill>
        )}
      </Link>
    </li>
  );
}

function enrolmentWords(person: Person): string {
  if (!person.active) return "Not being recognised";
  if (person.ignored) return "Ignored";
  if (person.template_count > 0) {
    return person.template_count === 1 ? "Known from 1 photo" : `Known from ${person.template_count} photos`;
  }
  return person.photo_count > 0 ? "No usable photo yet" : "No photos yet";
}

function AddPerson({ close }: { close: () => void }) {
  const navigate = useNavigate();
  const [errors, setErrors] = useState<FieldErrors>({});
  const [failure, setFailure] = useState<string>();

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    try {
      const person = await api.addPerson({
        name: String(form.get("name")).trim(),
        consent_note: String(form.get("consent_note")).trim(),
      });
      void people.refresh();
      await navigate(`/people/${encodeURIComponent(person.person_id)}`);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setErrors(error.fields);
      setFailure(Object.keys(error.fields).length > 0 ? undefined : error.message);
    }
  }

  return (
    <Dialog title="Add a person" onClose={close}>
      <form className="form" onSubmit={(event) => void submit(event)}>
        {failure && <Notice tone="bad">{failure}</Notice>}
        <Field label="Name" error={errors["name"]}>
          <input name="name" required maxLength={200} autoComplete="off" />
        </Field>
        <Field
          label="Consent"
          error={errors["consent_note"]}
          help="When and how they agreed to be recognised. Only you and your colleagues see it."
        >
          <textarea name="consent_note" rows={2} maxLength={2000} placeholder="Signed form, 12 March" />
        </Field>
        <div className="form__actions">
          <button type="button" className="button" onClick={close}>
            Cancel
          </button>
          <button className="button button--main">Add and choose photos</button>
        </div>
      </form>
    </Dialog>
  );
}
