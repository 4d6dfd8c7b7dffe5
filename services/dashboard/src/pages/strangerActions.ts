/** What can be done with strangers, each said in a toast and, but for forgetting, taken back from there. */
import { api } from "../api/client";
import type { Person, Stranger } from "../api/types";
import { people, strangers } from "../live/live";
import { toast } from "../ui/Toasts";
import { numberOf, strangersWords } from "../words";
import { told } from "./denyPerson";

const refresh = () => Promise.all([strangers.refresh(), people.refresh()]);

const idsOf = (chosen: Stranger[]): string[] => chosen.map(({ stranger_id }) => stranger_id);

export function nameThem(
  chosen: Stranger[],
  who: { person_id: string } | { name: string; consent_note: string },
): Promise<Person> {
  return api.nameStrangers(idsOf(chosen), who).then(async (person) => {
    await refresh();
    const first = chosen[0]!;
    toast(`${strangersWords(chosen)} is now ${person.name}. Their best faces are being enrolled.`, {
      label: "Undo",
      run: () => void unname(first),
    });
    return person;
  });
}

export const unname = (stranger: Stranger) =>
  told(async () => {
    await api.unnameStranger(stranger.stranger_id);
    await refresh();
    toast(`${stranger.label} has no name any more.`);
  });

export const setIgnored = (chosen: Stranger[], ignored: boolean): Promise<boolean> =>
  told(async () => {
    await api.ignoreStrangers(idsOf(chosen), ignored);
    await refresh();
    const words = ignored ? "left out of history and alerts" : "shown again";
    toast(`${strangersWords(chosen)}: ${words}.`, {
      label: "Undo",
      run: () => void setIgnored(chosen, !ignored),
    });
  });

/** Join all into the one with the lowest number, so that the oldest name stays. */
export const join = (chosen: Stranger[]) =>
  told(async () => {
    const ordered = [...chosen].sort((a, b) => numberOf(a) - numberOf(b));
    const [first, ...others] = ordered;
    await api.mergeStrangers(idsOf(ordered));
    await refresh();
    toast(`${strangersWords(others)} counted as ${first!.label}.`, {
      label: "Undo",
      run: () => void takeApart(others.map(({ stranger_id }) => stranger_id)),
    });
  });

export const takeApart = (strangerIds: string[]) =>
  told(async () => {
    for (const strangerId of strangerIds) await api.unmergeStranger(strangerId);
    await refresh();
  });

export const forget = (chosen: Stranger[]) =>
  told(async () => {
    await api.forgetStrangers(idsOf(chosen));
    await refresh();
    toast(`${strangersWords(chosen)}: forgotten.`);
  });
