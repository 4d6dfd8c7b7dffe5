import { useMemo, useState } from "react";
import { Link } from "react-router";
import { api } from "../api/client";
import { Resource, useResource } from "../api/resource";
import type { Calibration } from "../api/types";
import { Notice } from "../ui/parts";
import { toast } from "../ui/Toasts";
import { oneInWords, shareWords } from "../words";
import { told } from "./denyPerson";

const RATES = [0.05, 0.01, 0.005, 0.001];

/** How sure a name is: the threshold in force, what it means for these people, and how to change it. */
export function CalibrationPanel() {
  const resource = useMemo(() => new Resource(api.calibration), []);
  const { data, error } = useResource(resource);
  if (error) return <Notice tone="bad">{error.message}</Notice>;
  return data ? <Panel info={data} show={() => void resource.refresh()} /> : null;
}

function Panel({ info, show }: { info: Calibration; show: () => void }) {
  const [rate, setRate] = useState(info.requested_false_accept_rate ?? 0.01);
  const [busy, setBusy] = useState(false);

  async function run(work: () => Promise<Calibration>, words: (made: Calibration) => string) {
    setBusy(true);
    await told(async () => {
      const made = await work();
      show();
      toast(words(made));
    });
    setBusy(false);
  }

  return (
    <section className="panel calibration" data-testid="calibration">
      <header className="panel__head">
        <h2>How sure is a name?</h2>
        <div className="calibration__actions">
          <label>
            <span>A stranger may be named</span>
            <select value={rate} onChange={(event) => setRate(Number(event.target.value))}>
              {[...new Set([...RATES, rate])]
                .sort((a, b) => b - a)
                .map((one) => (
                  <option key={one} value={one}>
                    {oneInWords(one)} times
                  </option>
                ))}
            </select>
          </label>
          <button
            type="button"
            className="button button--main"
            disabled={busy}
            onClick={() =>
              void run(
                () => api.calibrate(rate),
                (made) => `From now on a name needs a similarity of ${made.accept_similarity.toFixed(3)}.`,
              )
            }
          >
            {info.calibrated_at ? "Calibrate again" : "Calibrate"}
          </button>
          {info.calibrated_at && (
            <button
              type="button"
              className="button"
              disabled={busy}
              onClick={() =>
                void run(api.resetCalibration, () => "The model's own threshold is in force again.")
              }
            >
              Reset
            </button>
          )}
        </div>
      </header>
      {info.stale && (
        <Notice tone="warn">People or photos have changed since this was calibrated. Calibrate again.</Notice>
      )}
      <dl className="calibration__facts">
        <Threshold info={info} />
        <WrongName info={info} />
        <NoName info={info} />
      </dl>
      <Lookalikes info={info} />
      <p className="hint">
        Measured on the {info.templates} photos of {info.people} people here. Cameras see worse than photos:
        watch the first days, and correct a wrong name where it stands.
      </p>
    </section>
  );
}

const BASIS: Record<Calibration["basis"], string> = {
  default: "The model's own, not fitted to your people yet.",
  cohort: "Fitted to how many photos you have, by how much strangers resemble each other to the model.",
  gallery: "Fitted to your people, who resemble each other more than strangers usually do.",
};

function Threshold({ info }: { info: Calibration }) {
  return (
    <div>
      <dt>A name needs a similarity of</dt>
      <dd>{info.accept_similarity.toFixed(3)}</dd>
      <p>
        {BASIS[info.basis]} Below {info.reject_similarity.toFixed(3)} somebody is unknown; in between it is
        not clear enough to say.
      </p>
    </div>
  );
}

function WrongName({ info }: { info: Calibration }) {
  const { false_accept_rate: rate, false_accept_rate_upper: upper } = info;
  return (
    <div>
      <dt>Somebody else's face gets a name</dt>
      <dd>{rate === null ? "Not known" : shareWords(rate)}</dd>
      <p>
        {rate === null || upper === null
          ? "It takes two people to tell."
          : `Of ${info.impostor_faces} photos, each compared with everybody else's. With so few it may be up to ${shareWords(upper)}.`}
      </p>
    </div>
  );
}

function NoName({ info }: { info: Calibration }) {
  const { false_reject_rate: rate } = info;
  return (
    <div>
      <dt>Somebody you know gets none</dt>
      <dd>{rate === null ? "Not known" : shareWords(rate)}</dd>
      <p>
        {rate === null
          ? "It takes somebody with two photos to tell."
          : `Of ${info.genuine_faces} photos, each compared with the same person's others, from one view.`}
      </p>
    </div>
  );
}

function Lookalikes({ info }: { info: Calibration }) {
  if (info.person_thresholds.length === 0) return null;
  return (
    <div className="calibration__lookalikes">
      <strong>Look-alikes need more:</strong>
      <ul>
        {info.person_thresholds.map((person) => (
          <li key={person.person_id}>
            <Link to={`/people/${encodeURIComponent(person.person_id)}`}>
              {person.person_name ?? "Somebody"}
            </Link>{" "}
            {person.accept_similarity.toFixed(3)}
          </li>
        ))}
      </ul>
    </div>
  );
}
