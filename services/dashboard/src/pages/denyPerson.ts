/** "This is not them": a name that was wrong, corrected with one click and taken back with another. */
import { api } from "../api/client";
import { ApiError } from "../api/errors";
import { toast } from "../ui/Toasts";

export async function denyPerson(
  trackId: string,
  personId: string | undefined,
  name: string | null,
  changed: () => void = () => undefined,
): Promise<void> {
  await told(async () => {
    await api.denyPerson(trackId, personId);
    changed();
    toast(`This face won't be called ${name ?? "that"} again.`, {
      label: "Undo",
      run: () => void withdrawDenial(trackId, changed),
    });
  });
}

export async function withdrawDenial(trackId: string, changed: () => void = () => undefined): Promise<void> {
  await told(async () => {
    await api.withdrawDenial(trackId);
    changed();
  });
}

/** Do something whose failure is told in a toast. */
export async function told(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast(error.message);
    return false;
  }
}
