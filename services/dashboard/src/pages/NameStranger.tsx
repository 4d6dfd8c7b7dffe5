import { useState, type FormEvent } from "react";
import { ApiError, type FieldErrors } from "../api/errors";
import { useResource } from "../api/resource";
import type { Stranger } from "../api/types";
import { people } from "../live/live";
import { Dialog } from "../ui/Dialog";
import { Avatar, Field, Notice } from "../ui/parts";
import { strangersWords } from "../words";
import { nameThem } from "./strangerActions";

/** Say who strangers are: somebody who is known, or somebody new. */
export function NameStranger({
  chosen,
  close,
  named,
}: {
  chosen: Stranger[];
  close: () => void;
  named?: (personId: string) => void;
}) {
  const known = useResource(people).data ?? [];
  const [personId, setPersonId] = useState("");
  const [errors, setErrors] = useState<FieldErrors>({});
  const [failure, setFailure] = useState<string>();
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (field: string) => String(form.get(field) ?? "").trim();
    setBusy(true);
    try {
      const who = personId
        ? { person_id: personId }
        : { name: text("name"), consent_note: text("consent_note") };
      const person = await nameThem(chosen, who);
      close();
      named?.(person.person_id);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setErrors(error.fields);
      setFailure(Object.keys(error.fields).length > 0 ? undefined : error.message);
      setBusy(false);
    }
  }

  return (
    <Dialog title={chosen.length === 1 ? `Who is ${chosen[0]!.label}?` : "Who is this?"} onClose={close}>
      <form className="form" onSubmit={(event) => void submit(event)}>
        <div className="name-faces">
          {chosen.slice(0, 5).map((stranger) => (
            <Avatar key={stranger.stranger_id} name="" src={stranger.face_url} large />
          ))}
        </div>
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
        <p className="hint">
          {strangersWords(chosen)} gets this name in the history, too, and up to five of the best faces are
          enrolled, after the same check as any photo. You can take it back.
        </p>
        <div className="form__actions">
          <button type="button" className="button" onClick={close}>
            Cancel
          </button>
          <button className="button button--main" disabled={busy}>
            Name
          </button>
        </div>
      </form>
    </Dialog>
  );
}
