import type { Stranger } from "../api/types";
import { Dialog } from "../ui/Dialog";
import { Avatar } from "../ui/parts";
import { strangersWords } from "../words";
import { nameThem } from "./strangerActions";
import { WhoForm } from "./WhoForm";

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
  return (
    <Dialog title={chosen.length === 1 ? `Who is ${chosen[0]!.label}?` : "Who is this?"} onClose={close}>
      <WhoForm
        faces={chosen.slice(0, 5).map((stranger) => (
          <Avatar key={stranger.stranger_id} name="" src={stranger.face_url} large />
        ))}
        hint={`${strangersWords(chosen)} gets this name in the history, too, and up to five of the best faces are enrolled, after the same check as any photo. You can take it back.`}
        close={close}
        submit={async (who) => named?.((await nameThem(chosen, who)).person_id)}
      />
    </Dialog>
  );
}
