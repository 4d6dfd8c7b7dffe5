/** Requests to the gateway. Every failure is an {@link ApiError} whose message can be shown to people. */
import { ApiError, errorFromBody } from "./errors";
import type {
  Calibration,
  Camera,
  CameraCreate,
  CameraEdit,
  CameraLooks,
  CameraWork,
  FitnessReport,
  Person,
  PersonEdit,
  PersonLooks,
  Photo,
  Readings,
  Session,
  Sighting,
  Stranger,
  StrangerDetail,
  SystemInfo,
} from "./types";

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

const REQUEST_TIMEOUT_MS = 15_000;
let whenRefused: () => void = () => {};

/** Call *listener* whenever the gateway refuses a request for want of a session, or of the right password. */
export function onRefused(listener: () => void): void {
  whenRefused = listener;
}

async function request<T>(method: Method, path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { "Content-Type": "application/json" };
  }
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch {
    throw errorFromBody(0, null);
  }
  const answer: unknown = response.status === 204 ? undefined : await response.json().catch(() => null);
  if (!response.ok) throw failed(response.status, answer, path);
  return answer as T;
}

function failed(status: number, body: unknown, path: string): ApiError {
  if (status === 401 && path !== "/api/session") whenRefused();
  return errorFromBody(status, body);
}

const id = encodeURIComponent;

export const api = {
  session: () => request<Session>("GET", "/api/session"),
  signIn: (username: string, password: string) =>
    request<Session>("POST", "/api/session", { username, password }),
  signOut: () => request<void>("DELETE", "/api/session"),
  changePassword: (oldPassword: string, newPassword: string) =>
    request<void>("PUT", "/api/session/password", { old_password: oldPassword, new_password: newPassword }),

  cameras: () => request<Camera[]>("GET", "/api/cameras"),
  addCamera: (camera: Partial<CameraCreate> & { name: string; url: string }) =>
    request<Camera>("POST", "/api/cameras", camera),
  editCamera: (cameraId: string, changes: Partial<CameraEdit>) =>
    request<Camera>("PATCH", `/api/cameras/${id(cameraId)}`, changes),
  removeCamera: (cameraId: string) => request<void>("DELETE", `/api/cameras/${id(cameraId)}`),
  fitness: (cameraId: string) => request<FitnessReport>("GET", `/api/cameras/${id(cameraId)}/fitness`),
  resetFitness: (cameraId: string) => request<void>("DELETE", `/api/cameras/${id(cameraId)}/fitness`),
  work: (cameraId: string) => request<CameraWork>("GET", `/api/cameras/${id(cameraId)}/work`),

  cameraLooks: (cameraId: string, span: CameraLooks["span"]) =>
    request<CameraLooks>("GET", `/api/cameras/${id(cameraId)}/emotions?span=${span}`),
  personLooks: (personId: string) => request<PersonLooks>("GET", `/api/people/${id(personId)}/emotions`),
  forgetPersonLooks: (personId: string) => request<void>("DELETE", `/api/people/${id(personId)}/emotions`),
  readings: () => request<Readings>("GET", "/api/readings"),
  stopReadings: (reason: string) => request<unknown>("PUT", "/api/readings/stop", { reason }),
  resumeReadings: () => request<void>("DELETE", "/api/readings/stop"),

  people: () => request<Person[]>("GET", "/api/people"),
  person: (personId: string) => request<Person>("GET", `/api/people/${id(personId)}`),
  addPerson: (person: { name: string; consent_note?: string }) =>
    request<Person>("POST", "/api/people", person),
  editPerson: (personId: string, changes: Partial<PersonEdit>) =>
    request<Person>("PATCH", `/api/people/${id(personId)}`, changes),
  removePerson: (personId: string) => request<void>("DELETE", `/api/people/${id(personId)}`),
  photos: (personId: string) => request<Photo[]>("GET", `/api/people/${id(personId)}/photos`),
  removePhoto: (personId: string, photoId: string) =>
    request<void>("DELETE", `/api/people/${id(personId)}/photos/${id(photoId)}`),

  editPhoto: (personId: string, photoId: string, changes: { person_id?: string; set_aside?: boolean }) =>
    request<Photo>("PATCH", `/api/people/${id(personId)}/photos/${id(photoId)}`, changes),

  strangers: () => request<Stranger[]>("GET", "/api/strangers"),
  stranger: (strangerId: string) => request<StrangerDetail>("GET", `/api/strangers/${id(strangerId)}`),
  nameStrangers: (
    strangerIds: string[],
    who: { person_id: string } | { name: string; consent_note: string },
  ) => request<Person>("POST", "/api/strangers/name", { stranger_ids: strangerIds, ...who }),
  unnameStranger: (strangerId: string) =>
    request<Stranger>("POST", `/api/strangers/${id(strangerId)}/unname`),
  ignoreStrangers: (strangerIds: string[], ignored: boolean) =>
    request<void>("POST", "/api/strangers/ignore", { stranger_ids: strangerIds, ignored }),
  mergeStrangers: (strangerIds: string[]) =>
    request<Stranger>("POST", "/api/strangers/merge", { stranger_ids: strangerIds }),
  unmergeStranger: (strangerId: string) => request<void>("POST", `/api/strangers/${id(strangerId)}/unmerge`),
  splitStranger: (strangerId: string, visitIds: string[]) =>
    request<Stranger>("POST", `/api/strangers/${id(strangerId)}/split`, { visit_ids: visitIds }),
  forgetStrangers: (strangerIds: string[]) =>
    request<void>("POST", "/api/strangers/forget", { stranger_ids: strangerIds }),
  strangerPolicy: () => request<{ keep_days: number }>("GET", "/api/strangers/policy"),
  setStrangerPolicy: (keepDays: number) =>
    request<{ keep_days: number }>("PUT", "/api/strangers/policy", { keep_days: keepDays }),

  calibration: () => request<Calibration>("GET", "/api/recognition/calibration"),
  calibrate: (falseAcceptRate: number) =>
    request<Calibration>("POST", "/api/recognition/calibration", { false_accept_rate: falseAcceptRate }),
  resetCalibration: () => request<Calibration>("DELETE", "/api/recognition/calibration"),

  /** Say that this is not the person; a track that is still in view has no sighting yet. */
  denyPerson: (trackId: string, personId?: string) =>
    request<Sighting | null>("PUT", `/api/sightings/${id(trackId)}/denial`, {
      person_id: personId ?? null,
    }),
  withdrawDenial: (trackId: string) =>
    request<Sighting | null>("DELETE", `/api/sightings/${id(trackId)}/denial`),

  sightings: (query: {
    camera_id?: string;
    person_id?: string;
    stranger_id?: string;
    limit?: number;
    before?: string;
  }) => {
    const set = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
    const parameters = new URLSearchParams(set.map(([key, value]) => [key, String(value)]));
    return request<Sighting[]>("GET", `/api/sightings?${parameters}`);
  },
  system: () => request<SystemInfo>("GET", "/api/system"),
};

/** Upload photos of a person; *onProgress* hears the share sent, 0 to 1. `fetch` cannot report that, hence XHR. */
export function uploadPhotos(
  personId: string,
  files: File[],
  onProgress: (share: number) => void,
): Promise<Photo[]> {
  const form = new FormData();
  for (const file of files) form.append("photos", file, file.name);
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.open("POST", `/api/people/${id(personId)}/photos`);
    xhr.responseType = "json";
    xhr.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    xhr.onerror = () => reject(errorFromBody(0, null));
    xhr.onload = () => {
      if (xhr.status < 300) resolve(xhr.response as Photo[]);
      else reject(failed(xhr.status, xhr.response, xhr.responseURL));
    };
    xhr.send(form);
  });
}
