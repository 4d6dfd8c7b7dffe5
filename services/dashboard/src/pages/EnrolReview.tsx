import { useEffect, useMemo, useState } from "react";
import { Link } from "react-router";
import { api } from "../api/client";
import { ApiError } from "../api/errors";
import { Resource, useResource } from "../api/resource";
import type { EnrolmentSession, Photo } from "../api/types";
import { people } from "../live/live";
import { Icon } from "../ui/Icon";
import { EmptyState, Notice, Pill } from "../ui/parts";
import { stepKey, stepName, type Step, type Taken } from "../webcam/coach";
import { emotionWords, qualityWords, rejectionWords } from "../words";

interface ReviewProps {
  session: EnrolmentSession;
  taken: Taken[];
  setTaken: (taken: Taken[]) => void;
  left: Step[];
  goOn: () => void;
  saved: () => void;
}

/** All that was taken, to keep or drop one by one; after saving, what became of it. */
export function EnrolReview({ session, taken, setTaken, left, goOn, saved }: ReviewProps) {
  const [share, setShare] = useState<number | null>(null);
  const [failure, setFailure] = useState("");
  const keep = taken.filter(({ kept }) => kept);

  async function save() {
    setFailure("");
    setShare(0);
    const unsaved = [...taken];
    try {
      for (const [index, one] of keep.entries()) {
        await api.keepSessionPhoto(session.session_id, one.jpeg, one.step);
        unsaved.splice(unsaved.indexOf(one), 1);
        setShare((index + 1) / keep.length);
      }
      void people.refresh();
      saved();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setFailure(error.message);
      setTaken(unsaved);
    }
    setShare(null);
  }

  return (
    <>
      {failure && <Notice tone="bad">{failure}</Notice>}
      {taken.length > 0 && (
        <section className="panel">
          <h2>
            Look through <span className="count">{keep.length} to keep</span>
          </h2>
          <p className="muted">Nothing is stored yet. Drop what you don't like, or take it again.</p>
          <ul className="taken">
            {taken.map((one) => (
              <TakenCard
                key={stepKey(one.step)}
                taken={one}
                toggle={() =>
                  setTaken(taken.map((other) => (other === one ? { ...one, kept: !one.kept } : other)))
                }
                retake={() => {
                  setTaken(taken.filter((other) => other !== one));
                  goOn();
                }}
              />
            ))}
          </ul>
          {share !== null && <progress value={share} aria-label="Saving" />}
          <div className="form__actions">
            {left.length > 0 && (
              <button type="button" className="button" onClick={goOn} disabled={share !== null}>
                Take the other {left.length}
              </button>
            )}
            <button
              type="button"
              className="button button--main"
              disabled={keep.length === 0 || share !== null}
              onClick={() => void save()}
            >
              Keep {keep.length === 1 ? "this picture" : `these ${keep.length} pictures`}
            </button>
          </div>
        </section>
      )}
      {taken.length === 0 && session.photo_count === 0 && (
        <EmptyState
          icon="camera"
          title="Nothing was taken yet"
          action={
            left.length > 0 && (
              <button type="button" className="button button--main" onClick={goOn}>
                Go on
              </button>
            )
          }
        >
          <p>Nothing is stored but the consent. Go on, or delete everything of this session.</p>
        </EmptyState>
      )}
      {session.photo_count > 0 && <Outcome session={session} left={left} goOn={goOn} />}
    </>
  );
}

function TakenCard({ taken, toggle, retake }: { taken: Taken; toggle: () => void; retake: () => void }) {
  const url = useMemo(() => URL.createObjectURL(taken.jpeg), [taken.jpeg]);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  const name = stepName(taken.step);
  return (
    <li className={taken.kept ? "" : "taken--dropped"} data-testid="taken" data-step={stepKey(taken.step)}>
      <img src={url} alt={`${name}, as taken`} />
      <div className="taken__foot">
        <strong>{name}</strong>
        <Pill tone={qualityWords(taken.quality).tone}>{qualityWords(taken.quality).word}</Pill>
      </div>
      <div className="taken__foot">
        <button type="button" className="link" aria-pressed={!taken.kept} onClick={toggle}>
          {taken.kept ? "Drop" : "Keep after all"}
        </button>
        <button type="button" className="link" onClick={retake}>
          Take again
        </button>
      </div>
    </li>
  );
}

const WHILE_PENDING_MS = 1_000;

/** What enrolment said of each picture that was kept. */
function Outcome({ session, left, goOn }: { session: EnrolmentSession; left: Step[]; goOn: () => void }) {
  const resource = useMemo(
    () => new Resource(() => api.photos(session.person_id)),
    [session.person_id, session.photo_count],
  );
  const { data } = useResource(resource, WHILE_PENDING_MS);
  const photos = (data ?? []).filter((photo) => photo.pose_label || photo.emotion_label);
  const enrolled = photos.filter(({ status }) => status === "enrolled").length;
  const pending = photos.some(({ status }) => status === "pending");
  return (
    <section className="panel" data-testid="enrol-outcome" data-enrolled={enrolled}>
      <h2>
        {pending
          ? "Being enrolled…"
          : enrolled > 0
            ? `${session.person_name} is known`
            : "No picture could be used"}{" "}
        <span className="count">
          {enrolled} of {photos.length} pictures in use
        </span>
      </h2>
      <ul className="taken">
        {photos.map((photo) => (
          <li key={photo.photo_id}>
            {photo.face_url || photo.image_url ? (
              <img src={photo.face_url ?? photo.image_url ?? ""} alt="" />
            ) : (
              <Icon name="face" />
            )}
            <div className="taken__foot">
              <strong>{labelWords(photo)}</strong>
              <StatusPill photo={photo} />
            </div>
            {photo.status === "rejected" && <small>{rejectionWords(photo)}</small>}
          </li>
        ))}
      </ul>
      <div className="form__actions">
        {left.length > 0 && (
          <button type="button" className="button" onClick={goOn}>
            Take the other {left.length}
          </button>
        )}
        <Link to="/webcam" className="button">
          Try it at the webcam
        </Link>
        <Link to={`/people/${encodeURIComponent(session.person_id)}`} className="button button--main">
          Done
        </Link>
      </div>
    </section>
  );
}

const labelWords = (photo: Photo): string => {
  if (photo.emotion_label) return emotionWords(photo.emotion_label);
  return photo.pose_label ? stepName({ kind: "pose", label: photo.pose_label as never }) : photo.filename;
};

function StatusPill({ photo }: { photo: Photo }) {
  if (photo.status === "pending") return <span className="spinner" />;
  if (photo.status === "rejected") return <Pill tone="bad">Not used</Pill>;
  return <Pill tone="good">In use</Pill>;
}
