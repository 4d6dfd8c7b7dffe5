import { useState, type FormEvent } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { api } from "../api/client";
import { ApiError, type FieldErrors } from "../api/errors";
import { useResource } from "../api/resource";
import { people } from "../live/live";
import { Field, Notice, PageHead } from "../ui/parts";
import { whyNoCamera } from "../webcam/camera";
import { consentText } from "../webcam/coach";
import { NoCamera } from "../webcam/NoCamera";

/** Who is enrolled, and that they agree: the camera is not opened before. */
export function EnrolStart() {
  const navigate = useNavigate();
  const [search] = useSearchParams();
  const known = useResource(people).data ?? [];
  const [personId, setPersonId] = useState(search.get("person") ?? "");
  const [newName, setNewName] = useState("");
  const [agreed, setAgreed] = useState(false);
  const [errors, setErrors] = useState<FieldErrors>({});
  const [failure, setFailure] = useState<string>();
  const [busy, setBusy] = useState(false);
  const person = known.find(({ person_id }) => person_id === personId);
  const name = person?.name ?? newName.trim();
  const why = whyNoCamera();

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    try {
      const session = await api.beginEnrolment({
        ...(person ? { person_id: person.person_id } : { name }),
        consent_text: consentText(name),
        consented_by: name,
        has_agreed: true,
      });
      void people.refresh();
      await navigate(`/enrol/${encodeURIComponent(session.session_id)}`, { replace: true });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setErrors(error.fields);
      setFailure(Object.keys(error.fields).length > 0 ? undefined : error.message);
      setBusy(false);
    }
  }

  if (why) {
    return (
      <>
        <PageHead title="Enrol at the webcam" />
        <NoCamera why={why} />
      </>
    );
  }
  return (
    <div className="coach-start">
      <PageHead title="Enrol at the webcam" />
      <form className="panel form" onSubmit={(event) => void submit(event)}>
        <p className="muted">
          In about a minute: five poses, then five expressions, each taken when it is good. Before anything is
          kept you look through all of it.
        </p>
        {failure && <Notice tone="bad">{failure}</Notice>}
        <Field label="Person">
          <select value={personId} onChange={(event) => setPersonId(event.target.value)}>
            <option value="">Somebody new</option>
            {known.map((one) => (
              <option key={one.person_id} value={one.person_id}>
                {one.name}
              </option>
            ))}
          </select>
        </Field>
        {!person && (
          <Field label="Name" error={errors["name"]}>
            <input
              name="name"
              value={newName}
              onChange={(event) => setNewName(event.target.value)}
              required
              maxLength={200}
              autoComplete="off"
            />
          </Field>
        )}
        <div>
          <h2>Consent</h2>
          <p className="hint">To be read, and ticked, by the person in front of the camera.</p>
        </div>
        <div className="consent" data-testid="consent-text">
          {consentText(name)}
        </div>
        <label className="tick">
          <input
            type="checkbox"
            checked={agreed}
            onChange={(event) => setAgreed(event.target.checked)}
            required
          />
          I have read this and agree.
        </label>
        <div className="form__actions">
          <button className="button button--main" disabled={busy || !agreed || !name}>
            Open the camera
          </button>
        </div>
      </form>
    </div>
  );
}
