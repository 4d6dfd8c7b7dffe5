import { useState, type FormEvent, type ReactNode } from "react";
import type { Who } from "../api/client";
import { ApiError, type FieldErrors } from "../api/errors";
import { useResource } from "../api/resource";
import { people } from "../live/live";
import { Field, Notice } from "../ui/parts";

interface WhoFormProps {
  /** Whom it is about, in front of the questions. */
  faces?: ReactNode;
  hint: string;
  close: () => void;
  submit: (who: Who) => Promise<unknown>;
  /** Somebody whom it can't be. */
  except?: string | null;
}

/** Who somebody is: a person who is known, or the name of a new one. */
export function WhoForm({ faces, hint, close, submit, except }: WhoFormProps) {
  const known = (useResource(people).data ?? []).filter(({ person_id }) => person_id !== except);
  const [personId, setPersonId] = useState("");
  const [errors, setErrors] = useState<FieldErrors>({});
  const [failure, setFailure] = useState<string>();
  const [busy, setBusy] = useState(false);

  async function send(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (field: string) => String(form.get(field) ?? "").trim();
    setBusy(true);
    try {
      await submit(
        personId ? { person_id: personId } : { name: text("name"), consent_note: text("consent_note") },
      );
      close();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setErrors(error.fields);
      setFailure(Object.keys(error.fields).length > 0 ? undefined : error.message);
      setBusy(false);
    }
  }

  return (
    <form className="form" onSubmit={(event) => void send(event)}>
      {faces && <div className="name-faces">{faces}</div>}
      {failure && <Notice tone="bad">{failure}</Notice>}
      {known.length > 0 && (
        <Field label="Person">
          <select value={personId} onChange={(event) => setPersonId(event.target.value)}>
            <option value="">Somebody new</option>
            {known.map((person) => (
              <option key={person.person_id} value={person.person_id}>
                {person.name}
              </option>
            ))}
          </select>
        </Field>
      )}
      {!personId && (
        <>
          <Field label="Name" error={errors["name"]}>
            <input name="name" required maxLength={200} autoComplete="off" />
          </Field>
          <Field
            label="Consent"
            error={errors["consent_note"]}
            help="When and how they agreed to be recognised."
          >
            <textarea name="consent_note" rows={2} maxLength={2000} />
          </Field>
        </>
      )}
      <p className="hint">{hint}</p>
      <div className="form__actions">
        <button type="button" className="button" onClick={close}>
          Cancel
        </button>
        <button className="button button--main" disabled={busy}>
          Name
        </button>
      </div>
    </form>
  );
}
