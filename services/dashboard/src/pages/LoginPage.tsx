import { useEffect, useState, type FormEvent } from "react";
import { ApiError } from "../api/errors";
import { signIn } from "../app/session";
import { Logo } from "../ui/Icon";
import { Field, Notice } from "../ui/parts";

export function LoginPage({ expired }: { expired: boolean }) {
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    document.title = "Sign in · Mien";
  }, []);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setError(undefined);
    try {
      await signIn(String(form.get("username")), String(form.get("password")));
    } catch (caught) {
      if (!(caught instanceof ApiError)) throw caught;
      setError(caught.message);
      setBusy(false);
    }
  }

  return (
    <main className="login">
      <form className="login__card" onSubmit={(event) => void submit(event)}>
        <Logo />
        <h1>Mien</h1>
        <p className="muted">Faces and feelings on your own cameras.</p>
        {expired && !error && <Notice tone="busy">You were signed out. Sign in to go on.</Notice>}
        {error && <Notice tone="bad">{error}</Notice>}
        <Field label="User name">
          <input
            name="username"
            autoComplete="username"
            defaultValue="admin"
            required
            autoCapitalize="none"
          />
        </Field>
        <Field label="Password">
          <input name="password" type="password" autoComplete="current-password" required autoFocus />
        </Field>
        <button className="button button--main" disabled={busy}>
          {busy ? "Signing in…" : "Sign in"}
        </button>
        <p className="hint">
          First time here? The password of <code>admin</code> was printed once where <code>mien up</code> was
          started.
        </p>
      </form>
    </main>
  );
}
