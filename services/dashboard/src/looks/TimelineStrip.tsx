import type { Sighting } from "../api/types";
import { durationWords, emotionWords } from "../words";
import { stretchesOf } from "./looksWords";

/** How somebody looked from when they came to when they left. */
export function TimelineStrip({ sighting }: { sighting: Sighting }) {
  const stretches = stretchesOf(sighting);
  if (stretches.length === 0) return null;
  const words = stretches
    .map(({ look, seconds }) => `${emotionWords(look)} ${durationWords(seconds * 1000)}`)
    .join(", then ");
  return (
    <span className="shares shares--timeline" role="img" aria-label={words} title={words}>
      {stretches.map(({ look, seconds }, index) => (
        // Stretches have no identity but their place.
        <span key={index} className={`mood--${look}`} style={{ flexGrow: seconds }} />
      ))}
    </span>
  );
}
