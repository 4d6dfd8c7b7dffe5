import type { OpenHours, Schedule } from "../api/types";
import { DAYS, dayName, timeZones, usualSchedule, type Day } from "./schedule";

interface ScheduleFieldProps {
  value: Schedule | null;
  error?: string | undefined;
  onChange: (schedule: Schedule | null) => void;
}

const MOST_STRETCHES = 28;

/** When a camera is open: always, or at weekly hours. */
export function ScheduleField({ value, error, onChange }: ScheduleFieldProps) {
  const setHours = (hours: OpenHours[]) => value && onChange({ ...value, hours });
  return (
    <fieldset className="schedule">
      <legend>Open</legend>
      <label className="tick">
        <input
          type="checkbox"
          checked={value !== null}
          onChange={(event) => onChange(event.target.checked ? usualSchedule() : null)}
        />
        Only at certain hours
      </label>
      {value?.hours.map((hours, index) => (
        <Stretch
          key={index}
          hours={hours}
          onChange={(changed) => setHours(value.hours.map((one, other) => (other === index ? changed : one)))}
          {...(value.hours.length > 1
            ? { onRemove: () => setHours(value.hours.filter((_, other) => other !== index)) }
            : {})}
        />
      ))}
      {value && (
        <div className="schedule__foot">
          <button
            type="button"
            className="link"
            disabled={value.hours.length >= MOST_STRETCHES}
            onClick={() => setHours([...value.hours, { days: ["sat", "sun"], start: "10:00", end: "16:00" }])}
          >
            More hours
          </button>
          <label>
            <span className="muted">Time zone</span>{" "}
            <select
              value={value.time_zone}
              onChange={(event) => onChange({ ...value, time_zone: event.target.value })}
            >
              {timeZones(value.time_zone).map((zone) => (
                <option key={zone}>{zone}</option>
              ))}
            </select>
          </label>
        </div>
      )}
      {error && (
        <p className="field__error" role="alert">
          {error}
        </p>
      )}
      {value && (
        <p className="field__help">
          At all other times the camera is closed. An end before the start is on the next day.
        </p>
      )}
    </fieldset>
  );
}

function Stretch({
  hours,
  onChange,
  onRemove,
}: {
  hours: OpenHours;
  onChange: (hours: OpenHours) => void;
  onRemove?: () => void;
}) {
  const toggle = (day: Day) => {
    const days = DAYS.filter((one) => (one === day ? !hours.days.includes(day) : hours.days.includes(one)));
    if (days.length > 0) onChange({ ...hours, days });
  };
  return (
    <div className="schedule__stretch">
      <div className="schedule__days" role="group" aria-label="Days">
        {DAYS.map((day) => (
          <button
            key={day}
            type="button"
            className="schedule__day"
            aria-pressed={hours.days.includes(day)}
            onClick={() => toggle(day)}
          >
            {dayName(day)}
          </button>
        ))}
      </div>
      <div className="schedule__times">
        <input
          type="time"
          required
          aria-label="From"
          value={hours.start}
          onChange={(event) => onChange({ ...hours, start: event.target.value })}
        />
        <span aria-hidden="true">–</span>
        <input
          type="time"
          required
          aria-label="Until"
          value={hours.end === "24:00" ? "00:00" : hours.end}
          onChange={(event) => onChange({ ...hours, end: event.target.value })}
        />
        {onRemove && (
          <button type="button" className="link" onClick={onRemove}>
            Remove
          </button>
        )}
      </div>
    </div>
  );
}
