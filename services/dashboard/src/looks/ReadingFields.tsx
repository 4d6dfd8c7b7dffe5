import type { ChangeEvent } from "react";
import type { FieldErrors } from "../api/errors";
import type { CameraFormValues } from "../pages/cameraFields";
import { Field, Notice } from "../ui/parts";
import { CONTEXTS, isProhibited } from "./looksWords";

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;
type Name = Exclude<keyof CameraFormValues, "removePassword" | "schedule">;

interface FieldsProps {
  values: CameraFormValues;
  errors: FieldErrors;
  bind: (name: Name) => { name: Name; value: string; onChange: (event: ChangeEvent<Control>) => void };
}

/** What may be read from faces on a camera beside names, and what must be known before it is. */
export function ReadingFields({ values, errors, bind }: FieldsProps) {
  return (
    <>
      <Field label="Emotions" error={errors["emotion_policy"]}>
        <select {...bind("emotion_policy")}>
          <option value="off">Off</option>
          <option value="aggregate">As totals, not per person</option>
          <option value="per_person">For each person</option>
        </select>
      </Field>
      {values.emotion_policy !== "off" && <EmotionFields values={values} errors={errors} bind={bind} />}
      <Field
        label="Tiredness"
        error={errors["tiredness_policy"]}
        help="Closed eyes and yawns over a minute. A state of the body, so it has its own switch."
      >
        <select {...bind("tiredness_policy")}>
          <option value="off">Off</option>
          <option value="per_person">For each person</option>
        </select>
      </Field>
      {values.tiredness_policy !== "off" && (
        <>
          <Notice tone="warn">
            Tell the people in view, too. Mien sees signs, it does not know why: no decision about a person
            should rest on it alone.
          </Notice>
          <Field
            label="What for?"
            error={errors["tiredness_purpose"]}
            help="Shown wherever this camera's tiredness is shown."
          >
            <textarea {...bind("tiredness_purpose")} required rows={2} maxLength={2000} />
          </Field>
        </>
      )}
    </>
  );
}

function EmotionFields({ values, errors, bind }: FieldsProps) {
  return (
    <>
      <Notice tone="warn">
        <strong>Tell the people in view.</strong> Whoever reads emotions from faces must inform those
        concerned beforehand and needs a lawful reason. In the European Union it is forbidden at work and in
        schools, except for medical or safety reasons.
      </Notice>
      <Field label="Where does this camera look?" error={errors["context"]}>
        <select {...bind("context")} required>
          <option value="unspecified" disabled>
            Choose…
          </option>
          {CONTEXTS.map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      </Field>
      {isProhibited(values.context) && (
        <>
          <Notice tone="bad">
            Emotions may be read here only for a medical or a safety reason. What you enter is kept with your
            name.
          </Notice>
          <Field label="Reason" error={errors["emotion_exemption"]}>
            <select {...bind("emotion_exemption")} required>
              <option value="none" disabled>
                Choose…
              </option>
              <option value="medical">Medical</option>
              <option value="safety">Safety</option>
            </select>
          </Field>
          <Field
            label="Why, and who decided it?"
            error={errors["emotion_exemption_note"]}
            help="For instance the risk assessment and its date."
          >
            <textarea {...bind("emotion_exemption_note")} required rows={2} maxLength={2000} />
          </Field>
        </>
      )}
      <Field
        label="What for?"
        error={errors["emotion_purpose"]}
        help="Shown wherever this camera's emotions are shown."
      >
        <textarea {...bind("emotion_purpose")} required rows={2} maxLength={2000} />
      </Field>
    </>
  );
}
