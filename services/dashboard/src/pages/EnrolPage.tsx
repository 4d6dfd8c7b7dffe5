import { useEffect, useMemo, useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { api } from "../api/client";
import { Resource, useResource } from "../api/resource";
import type { EnrolmentSession, FaceCheck } from "../api/types";
import { people } from "../live/live";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import { Icon } from "../ui/Icon";
import { EmptyState, Notice, PageHead } from "../ui/parts";
import { toast } from "../ui/Toasts";
import { CoachStage } from "../webcam/CoachStage";
import { savedSteps, stepKey, stepName, STEPS, stepsLeft, withTaken, type Taken } from "../webcam/coach";
import { qualityWords, sentence } from "../words";
import { told } from "./denyPerson";
import { EnrolReview } from "./EnrolReview";

/** A guided enrolment, from the first pose to what became of the pictures. */
export function EnrolPage() {
  const { sessionId = "" } = useParams();
  const resource = useMemo(() => new Resource(() => api.enrolment(sessionId)), [sessionId]);
  const { data: session, error } = useResource(resource);
  if (error?.status === 404) return <Gone />;
  if (!session) return error ? <Notice tone="bad">{error.message}</Notice> : null;
  return <Session key={sessionId} session={session} changed={() => void resource.refresh()} />;
}

function Session({ session, changed }: { session: EnrolmentSession; changed: () => void }) {
  const [taken, setTaken] = useState<Taken[]>([]);
  const [reviewing, setReviewing] = useState(session.photo_count > 0);
  const [paused, setPaused] = useState(false);
  const [check, setCheck] = useState<FaceCheck | null>(null);
  const [failure, setFailure] = useState("");
  const saved = savedSteps(session);
  const left = stepsLeft(taken, saved);
  const step = left[0];
  const showsReview = reviewing || !step;
  useWarning(taken.some(({ kept }) => kept));
  return (
    <>
      <PageHead title={`Enrol ${session.person_name}`}>
        {!showsReview && (
          <>
            <button type="button" className="button" onClick={() => setPaused(!paused)}>
              {paused ? "Go on" : "Pause"}
            </button>
            <button type="button" className="button" onClick={() => setReviewing(true)}>
              Stop here and look through
            </button>
          </>
        )}
        <DeleteAll session={session} unsaved={taken.length} />
      </PageHead>
      {failure && !showsReview && <Notice tone="bad">{sentence(failure)}</Notice>}
      {showsReview ? (
        <EnrolReview
          session={session}
          taken={taken}
          setTaken={setTaken}
          left={left}
          goOn={() => setReviewing(false)}
          saved={() => {
            setTaken([]);
            setReviewing(true);
            changed();
          }}
        />
      ) : (
        <div className="coach">
          <CoachStage
            sessionId={session.session_id}
            step={step}
            done={(STEPS.length - left.length) / STEPS.length}
            paused={paused}
            take={(one) => setTaken((before) => withTaken(before, one))}
            heard={(said) => {
              setCheck(said);
              setFailure("");
            }}
            failed={setFailure}
          />
          <aside>
            <Meter check={check} />
            <ol className="coach__steps panel">
              {STEPS.map((one) => {
                const done = !left.includes(one);
                return (
                  <li
                    key={stepKey(one)}
                    aria-current={one === step ? "step" : undefined}
                    data-testid="coach-step"
                    data-done={done}
                  >
                    {done ? <Icon name="check" /> : <span className="coach__todo" />}
                    {stepName(one)}
                  </li>
                );
              })}
            </ol>
            {step.kind === "emotion" && (
              <button type="button" className="link" onClick={() => setReviewing(true)}>
                Leave the expressions out
              </button>
            )}
          </aside>
        </div>
      )}
    </>
  );
}

function Meter({ check }: { check: FaceCheck | null }) {
  const quality = check?.quality ?? 0;
  const words = check?.box_xyxy ? qualityWords(quality).word : "No face yet";
  return (
    <section className="panel coach__meter">
      <h2>
        Picture <span className="count">{words}</span>
      </h2>
      <meter min={0} max={1} low={0.45} high={0.7} optimum={1} value={quality} aria-label="Quality" />
    </section>
  );
}

/** One click, asked once: photos, templates, consent, and the person if they were added for this. */
function DeleteAll({ session, unsaved }: { session: EnrolmentSession; unsaved: number }) {
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const remove = () =>
    told(async () => {
      await api.deleteEnrolment(session.session_id);
      void people.refresh();
      toast("Everything from this session is deleted.");
      await navigate("/people");
    });
  return (
    <>
      <button type="button" className="button button--danger" onClick={() => setAsking(true)}>
        Delete everything
      </button>
      {asking && (
        <ConfirmDialog
          title="Delete everything from this session?"
          action="Delete everything"
          onConfirm={remove}
          onClose={() => setAsking(false)}
        >
          <p>
            {session.photo_count > 0
              ? `${session.photo_count} saved photos and what was made of them, `
              : unsaved > 0
                ? "The pictures taken so far, "
                : ""}
            the consent
            {session.is_new_person && `, and ${session.person_name} unless there are other photos of them`}.
            This can't be undone.
          </p>
        </ConfirmDialog>
      )}
    </>
  );
}

function Gone() {
  return (
    <EmptyState
      icon="face"
      title="This enrolment is over"
      action={
        <Link to="/enrol" className="button button--main">
          Begin another
        </Link>
      }
    >
      <p>Everything of it was deleted, or it never was.</p>
    </EmptyState>
  );
}

/** Ask before pictures that were not saved are lost with the page. */
function useWarning(active: boolean): void {
  useEffect(() => {
    if (!active) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [active]);
}
