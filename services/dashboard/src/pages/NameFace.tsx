import { useEffect, useRef } from "react";
import { api, type Who } from "../api/client";
import { useResource } from "../api/resource";
import { useStore } from "../app/store";
import { chosenFace, type ChosenFace } from "../live/chosenFace";
import { faceCut } from "../live/faceCuts";
import { people, strangers } from "../live/live";
import { Dialog } from "../ui/Dialog";
import { toast } from "../ui/Toasts";
import { told } from "./denyPerson";
import { NameStranger } from "./NameStranger";
import { WhoForm } from "./WhoForm";

/** "This is …", for the face that was clicked, wherever that was. */
export function NameFace() {
  const chosen = useStore(chosenFace);
  return chosen && <NameChosen key={chosen.trackId} chosen={chosen} close={() => chosenFace.set(null)} />;
}

function NameChosen({ chosen, close }: { chosen: ChosenFace; close: () => void }) {
  const stranger = useResource(strangers).data?.find(
    ({ stranger_id, joined_ids }) =>
      stranger_id === chosen.strangerId || joined_ids.includes(chosen.strangerId ?? ""),
  );
  if (chosen.strangerId && stranger) {
    return <NameStranger chosen={[stranger]} close={close} named={() => chosen.changed?.()} />;
  }
  const wrong = chosen.personId ? `${chosen.personName ?? "The name"} was wrong here, then. ` : "";
  return (
    <Dialog title="Who is this?" onClose={close}>
      <WhoForm
        faces={<Cut trackId={chosen.trackId} />}
        hint={`${wrong}The best recent views of this face are enrolled, after the same check as any photo. You can take it back.`}
        except={chosen.personId}
        close={close}
        submit={(who) => nameFace(chosen, who)}
      />
    </Dialog>
  );
}

async function nameFace(chosen: ChosenFace, who: Who): Promise<void> {
  const named = await api.nameTrack(chosen.trackId, who);
  void people.refresh();
  chosen.changed?.();
  const views = named.photo_count === 1 ? "One view is" : `${named.photo_count} views are`;
  toast(`This is ${named.person.name}. ${views} being enrolled.`, {
    label: "Undo",
    run: () =>
      void told(async () => {
        await api.unnameTrack(chosen.trackId);
        void people.refresh();
        chosen.changed?.();
      }),
  });
}

function Cut({ trackId }: { trackId: string }) {
  const ref = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const cut = faceCut(trackId);
    if (!cut || !ref.current) return;
    const copy = document.createElement("canvas");
    copy.width = cut.width;
    copy.height = cut.height;
    copy.getContext("2d")?.drawImage(cut, 0, 0);
    ref.current.replaceChildren(copy);
  }, [trackId]);
  return <span ref={ref} className="avatar avatar--large" aria-hidden="true" />;
}
