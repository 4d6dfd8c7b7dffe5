import type { Camera } from "../api/types";
import { useStore } from "../app/store";
import { readings } from "../live/live";
import { Icon } from "../ui/Icon";
import { setByWords } from "./looksWords";

/** Where emotion or tiredness is read: that it is, what for, and who turned it on. */
export function ReadingBadges({ camera }: { camera: Camera }) {
  const stopped = useStore(readings.store).data?.stopped;
  return (
    <>
      {camera.emotion_policy !== "off" && (
        <Badge
          icon="mood"
          words={camera.emotion_policy === "aggregate" ? "Emotions, as totals" : "Emotions"}
          what="Emotion reading"
          purpose={camera.emotion_purpose}
          setBy={setByWords(camera.emotion_set_by, camera.emotion_set_at_ns)}
          stopped={Boolean(stopped)}
        />
      )}
      {camera.tiredness_policy !== "off" && (
        <Badge
          icon="tired"
          words="Tiredness"
          what="Reading of tiredness"
          purpose={camera.tiredness_purpose}
          setBy={setByWords(camera.tiredness_set_by, camera.tiredness_set_at_ns)}
          stopped={Boolean(stopped)}
        />
      )}
    </>
  );
}

interface BadgeProps {
  icon: "mood" | "tired";
  words: string;
  what: string;
  purpose: string;
  setBy: string;
  stopped: boolean;
}

function Badge({ icon, words, what, purpose, setBy, stopped }: BadgeProps) {
  const title = [
    stopped ? `${what} is stopped on all cameras.` : `${what} is on.`,
    `Purpose: ${purpose || "not stated"}.`,
    setBy && `Set by ${setBy}.`,
  ]
    .filter(Boolean)
    .join(" ");
  return (
    <span
      className={`badge badge--reading ${stopped ? "" : "badge--emotion"}`}
      title={title}
      aria-label={title}
    >
      <Icon name={icon} />
      <span>{stopped ? `${words}: stopped` : words}</span>
    </span>
  );
}
