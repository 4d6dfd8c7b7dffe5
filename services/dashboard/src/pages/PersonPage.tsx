import { useEffect, useMemo, useState, type FormEvent } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { api } from "../api/client";
import { ApiError, type FieldErrors } from "../api/errors";
import { Resource, useResource } from "../api/resource";
import type { Person } from "../api/types";
import { people } from "../live/live";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import { Icon } from "../ui/Icon";
import { Avatar, EmptyState, Field, Notice, PageHead } from "../ui/parts";
import { toast } from "../ui/Toasts";
import { PersonLooksPanel } from "../looks/PersonLooksPanel";
import { told } from "./denyPerson";
import { Consents } from "./Consents";
import { Photos } from "./Photos";
import { RecentSightings } from "./RecentSightings";

export function PersonPage() {
  const { personId = "" } = useParams();
  const resource = useMemo(() => new Resource(() => api.person(personId)), [personId]);
  const { data: person, error } = useResource(resource);
  const [deleting, setDeleting] = useState(false);
  const changed = () => {
    void resource.refresh();
    void people.refresh();
  };
  if (error?.status === 404) return <NobodyHere />;
  if (!person) return error ? <Notice tone="bad">{error.message}</Notice> : null;
  return (
    <>
      <Link to="/people" className="back">
        <Icon name="back" /> People
      </Link>
      <div className="person-head">
        <Avatar name={person.name} src={person.cover_photo_url} large />
        <PageHead title={person.name}>
          <Link to={`/enrol?person=${encodeURIComponent(personId)}`} className="button">
            <Icon name="webcam" /> Enrol at the webcam
          </Link>
          <IgnoredButton person={person} changed={changed} />
          <ActiveButton person={person} changed={changed} />
          <button type="button" className="button button--danger" onClick={() => setDeleting(true)}>
            Delete
          </button>
        </PageHead>
      </div>
      {person.demo_note && <Notice tone="busy">{person.demo_note}</Notice>}
      {!person.active && <Notice tone="warn">{person.name} is not being recognised at the moment.</Notice>}
      {person.active && person.ignored && (
        <Notice tone="warn">{person.name} is recognised, but left out of history and alerts.</Notice>
      )}
      <div className="columns columns--person">
        <Photos personId={personId} onSettled={changed} />
        <div>
          <section className="panel">
            <h2>About</h2>
            <AboutForm key={personId} person={person} changed={changed} />
          </section>
          <Consents personId={personId} />
          <PersonLooksPanel person={person} />
          <div className="panel">
            <RecentSightings personId={personId} />
          </div>
        </div>
      </div>
      {deleting && <DeleteDialog person={person} close={() => setDeleting(false)} />}
    </>
  );
}

function NobodyHere() {
  return (
    <EmptyState
      icon="people"
      title="This person is not here any more"
      action={
        <Link className="button" to="/people">
          All people
        </Link>
      }
    >
      <p>They may have been deleted meanwhile.</p>
    </EmptyState>
  );
}

function ActiveButton({ person, changed }: { person: Person; changed: () => void }) {
  const [busy, setBusy] = useState(false);
  async function toggle() {
    setBusy(true);
    try {
      await api.editPerson(person.person_id, { active: !person.active });
      changed();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      toast(error.message);
    }
    setBusy(false);
  }
  return (
    <button type="button" className="button" disabled={busy} onClick={() => void toggle()}>
      {person.active ? "Stop recognising" : "Recognise again"}
    </button>
  );
}

function IgnoredButton({ person, changed }: { person: Person; changed: () => void }) {
  return (
    <button
      type="button"
      className="button"
      title="Whether history and alerts tell of this person"
      onClick={() =>
        void told(async () => {
          await api.editPerson(person.person_id, { ignored: !person.ignored });
          changed();
        })
      }
    >
      {person.ignored ? "Heed again" : "Ignore"}
    </button>
  );
}

function AboutForm({ person, changed }: { person: Person; changed: () => void }) {
  const [errors, setErrors] = useState<FieldErrors>({});
  const [failure, setFailure] = useState<string>();
  const [dirty, setDirty] = useState(false);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name)).trim();
    try {
      const changes = { name: text("name"), notes: text("notes"), consent_note: text("consent_note") };
      await api.editPerson(person.person_id, changes);
      setErrors({});
      setFailure(undefined);
      setDirty(false);
      changed();
      toast("Saved.");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setErrors(error.fields);
      setFailure(Object.keys(error.fields).length > 0 ? undefined : error.message);
    }
  }

  return (
    <form className="form" onSubmit={(event) => void submit(event)} onInput={() => setDirty(true)}>
      {failure && <Notice tone="bad">{failure}</Notice>}
      <Field label="Name" error={errors["name"]}>
        <input name="name" defaultValue={person.name} required maxLength={200} />
      </Field>
      <Field label="Notes" error={errors["notes"]}>
        <textarea name="notes" defaultValue={person.notes} rows={2} maxLength={2000} />
      </Field>
      <Field label="Consent" error={errors["consent_note"]} help="When and how they agreed to be recognised.">
        <textarea name="consent_note" defaultValue={person.consent_note} rows={2} maxLength={2000} />
      </Field>
      <div className="form__actions">
        <button className="button button--main" disabled={!dirty}>
          Save
        </button>
      </div>
    </form>
  );
}

function DeleteDialog({ person, close }: { person: Person; close: () => void }) {
  const navigate = useNavigate();
  const [typed, setTyped] = useState("");
  const [failure, setFailure] = useState<string>();
  useEffect(() => setFailure(undefined), [typed]);

  async function submit() {
    try {
      await api.removePerson(person.person_id);
      void people.refresh();
      toast(`${person.name} is forgotten.`);
      await navigate("/people");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setFailure(error.message);
    }
  }

  return (
    <ConfirmDialog
      title={`Delete ${person.name}?`}
      action="Delete for good"
      disabled={typed.trim() !== person.name.trim()}
      onConfirm={submit}
      onClose={close}
    >
      <p>
        Mien forgets this person: photos and face templates are deleted, and past sightings lose the name.
        This can't be undone.
      </p>
      {failure && <Notice tone="bad">{failure}</Notice>}
      <Field label={`Type “${person.name}” to confirm`}>
        <input value={typed} onChange={(event) => setTyped(event.target.value)} autoComplete="off" />
      </Field>
    </ConfirmDialog>
  );
}
