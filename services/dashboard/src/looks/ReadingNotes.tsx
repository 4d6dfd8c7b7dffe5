import { Link } from "react-router";
import type { Camera } from "../api/types";
import { useStore } from "../app/store";
import { readings } from "../live/live";
import { policyWords, setByWords } from "./looksWords";

/** Beside a camera's picture: what is read on it, what for, and who turned that on. */
export function ReadingNotes({ camera }: { camera: Camera }) {
  const stopped = useStore(readings.store).data?.stopped;
  const notes = [
    camera.emotion_policy !== "off" && {
      title: "Emotions",
      how: policyWords(camera.emotion_policy),
      purpose: camera.emotion_purpose,
      setBy: setByWords(camera.emotion_set_by, camera.emotion_set_at_ns),
    },
    camera.tiredness_policy !== "off" && {
      title: "Tiredness",
      how: "For each person",
      purpose: camera.tiredness_purpose,
      setBy: setByWords(camera.tiredness_set_by, camera.tiredness_set_at_ns),
    },
  ].filter((note) => note !== false);
  if (notes.length === 0) return null;
  return (
    <section>
      <h2>What is read here</h2>
      {stopped && (
        <p className="muted">
          All reading is <Link to="/system">stopped</Link> at the moment.
        </p>
      )}
      <dl className="facts">
        {notes.map(({ title, how, purpose, setBy }) => (
          <div key={title} className="facts__row">
            <dt>{title}</dt>
            <dd>
              {how}. {purpose}
              {setBy && <small className="reading-note__by">{setBy}</small>}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
