import { useState, type FormEvent } from "react";
import { api } from "../api/client";
import { ApiError, fieldErrors, type FieldErrors } from "../api/errors";
import { sessionState, signOut } from "../app/session";
import { useStore } from "../app/store";
import { applyTheme, currentTheme, THEMES, type Theme } from "../app/theme";
import { Field, Notice, PageHead } from "../ui/parts";
import { toast } from "../ui/Toasts";

const THEME_WORDS: Record<Theme, string> = { system: "As the system", dark: "Dark", light: "Light" };
export const SHORTEST_PASSWORD = 10;

export function AccountPage() {
  const state = useStore(sessionState);
  const [theme, setTheme] = useState(currentTheme);
  return (
    <>
      <PageHead title="Account">
        <button type="button" className="button" onClick={() => void leave()}>
          Sign out
        </button>
      </PageHead>
      <div className="columns">
        <section className="panel">
          <h2>Password</h2>
          {state.kind === "signed_in" && (
            <p className="muted">
              Signed in as <strong>{state.session.username}</strong> ({state.session.role}).
            </p>
          )}
          <PasswordForm />
        </section>
        <section className="panel">
          <h2>Appearance</h2>
          <fieldset className="segments">
            <legend className="hidden">Theme</legend>
            {THEMES.map((choice) => (
              <label key={choice}>
                <input
                  type="radio"
                  name="theme"
                  checked={theme === choice}
                  onChange={() => {
                    applyTheme(choice);
                    setTheme(choice);
                  }}
                />
                <span>{THEME_WORDS[choice]}</span>
              </label>
            ))}
          </fieldset>
          <p className="hint">Remembered on this device.</p>
        </section>
      </div>
    </>
  );
}

async function leave(): Promise<void> {
  try {
    await signOut();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast(error.message);
  }
}

function PasswordForm() {
  const [errors, setErrors] = useState<FieldErrors>({});
  const [failure, setFailure] = useState<string>();

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const values = new FormData(form);
    const fresh = String(values.get("new_password"));
    setFailure(undefined);
    setErrors({});
    if (fresh !== values.get("again")) return setErrors({ again: "The two new passwords differ." });
    try {
      await api.changePassword(String(values.get("old_password")), fresh);
      form.reset();
      toast("Password changed.");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const fields = fieldErrors(error, [
        ["old_password", /old|wrong|current/i],
        ["new_password", /new|short|long|character/i],
      ]);
      setErrors(fields);
      if (Object.keys(fields).length === 0) setFailure(error.message);
    }
  }

  return (
    <form onSubmit={(event) => void submit(event)} className="form">
      {failure && <Notice tone="bad">{failure}</Notice>}
      <Field label="Old password" error={errors["old_password"]}>
        <input name="old_password" type="password" autoComplete="current-password" required />
      </Field>
      <Field
        label="New password"
        help={`At least ${SHORTEST_PASSWORD} characters.`}
        error={errors["new_password"]}
      >
        <input
          name="new_password"
          type="password"
          autoComplete="new-password"
          minLength={SHORTEST_PASSWORD}
          required
        />
      </Field>
      <Field label="New password again" error={errors["again"]}>
        <input name="again" type="password" autoComplete="new-password" required />
      </Field>
      <div className="form__actions">
        <button className="button button--main">Change password</button>
      </div>
    </form>
  );
}
