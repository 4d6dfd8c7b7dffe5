import { useMemo, useState } from "react";
import { api } from "../api/client";
import { Resource, useResource } from "../api/resource";
import { strangers } from "../live/live";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import { toast } from "../ui/Toasts";
import { told } from "./denyPerson";

const CHOICES = [1, 3, 7, 14, 30, 90];

const daysWords = (days: number): string => (days === 1 ? "1 day" : `${days} days`);

/** For how long strangers are remembered, and the policy's days for whoever draws them. */
export function useStrangerPolicy() {
  const resource = useMemo(() => new Resource(api.strangerPolicy), []);
  const keepDays = useResource(resource).data?.keep_days;
  return { keepDays, refresh: resource.refresh };
}

export function StrangerPolicy({ keepDays, changed }: { keepDays: number; changed: () => void }) {
  const [asked, setAsked] = useState<number | null>(null);
  const choices = [...new Set([...CHOICES, ...(keepDays > 0 ? [keepDays] : [])])].sort((a, b) => a - b);

  async function set(days: number) {
    setAsked(null);
    await told(async () => {
      await api.setStrangerPolicy(days);
      changed();
      await strangers.refresh();
      toast(days === 0 ? "Strangers are not remembered any more." : `Remembered for ${daysWords(days)}.`);
    });
  }

  return (
    <>
      <label className="policy">
        <span>Remember strangers for</span>
        <select
          value={keepDays}
          onChange={(event) => {
            const days = Number(event.target.value);
            if (days < keepDays) setAsked(days);
            else void set(days);
          }}
        >
          <option value={0}>not at all</option>
          {choices.map((days) => (
            <option key={days} value={days}>
              {daysWords(days)}
            </option>
          ))}
        </select>
      </label>
      {asked !== null && (
        <ConfirmDialog
          title={asked === 0 ? "Forget all strangers?" : `Keep only the last ${daysWords(asked)}?`}
          action="Forget them"
          onConfirm={() => set(asked)}
          onClose={() => setAsked(null)}
        >
          <p>
            {asked === 0
              ? "Everybody who is remembered without a name is forgotten now, and nobody new is remembered."
              : "Whoever was last seen before that is forgotten now. This can't be undone."}
          </p>
        </ConfirmDialog>
      )}
    </>
  );
}
