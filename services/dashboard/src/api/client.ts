/** All that the dashboard asks of the gateway. */
import { request, upload, type OnProgress } from "./request";
import type {
  Calibration,
  Camera,
  CameraAnswers,
  CameraCreate,
  CameraEdit,
  CameraExport,
  CameraHistory,
  CameraLooks,
  CameraWork,
  EnrolmentSession,
  EnrolmentSessionCreate,
  FaceCheck,
  FitnessReport,
  ImportPreview,
  ImportProgress,
  ImportUndone,
  ImportInfo,
  ImportSummary,
  Person,
  PersonEdit,
  PersonLooks,
  Photo,
  Pose,
  Readings,
  Session,
  Sighting,
  Stranger,
  StrangerDetail,
  SystemInfo,
  Training,
  TrainingData,
  TrainingDetail,
  TrainingInfo,
  TrainingRequest,
  TrackNamed,
} from "./types";

const id = encodeURIComponent;

interface Asked {
  request_id: string;
}

export interface Login {
  username: string | null;
  password: string | null;
}

function fileForm(
  file: File,
  variables: Record<string, string>,
  step: Record<string, unknown> = {},
): FormData {
  const form = new FormData();
  form.append("file", file, file.name);
  form.append("variables", JSON.stringify(variables));
  for (const [name, value] of Object.entries(step)) if (value !== undefined) form.append(name, String(value));
  return form;
}
/** Somebody who is known, or somebody new. */
export type Who = { person_id: string } | { name: string; consent_note: string };

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
  cameraHistory: (cameraId: string, hours: number) =>
    request<CameraHistory>("GET", `/api/cameras/${id(cameraId)}/history?hours=${hours}`),
  work: (cameraId: string) => request<CameraWork>("GET", `/api/cameras/${id(cameraId)}/work`),

  searchCameras: (seconds: number) => request<Asked>("POST", "/api/camera-requests/search", { seconds }),
  cameraStreams: (address: string, login: Login) =>
    request<Asked>("POST", "/api/camera-requests/profiles", { address, ...login }),
  testCamera: (url: string, login: Login, certificateSha256: string | null) =>
    request<Asked>("POST", "/api/camera-requests/test", {
      url,
      ...login,
      certificate_sha256: certificateSha256,
    }),
  cameraAnswers: (requestId: string, seen: number) =>
    request<CameraAnswers>("GET", `/api/camera-requests/${id(requestId)}?seen=${seen}`),
  testSnapshot: (requestId: string) => `/api/camera-requests/${id(requestId)}/snapshot.jpg`,

  previewImport: (file: File, variables: Record<string, string>) =>
    request<ImportPreview>("POST", "/api/camera-files/preview", fileForm(file, variables)),
  importCameras: (
    file: File,
    variables: Record<string, string>,
    step: { import_id?: string; first: number; count: number },
  ) => request<ImportProgress>("POST", "/api/camera-files/import", fileForm(file, variables, step)),
  undoCameraImport: (importId: string) =>
    request<ImportUndone>("DELETE", `/api/camera-files/imports/${id(importId)}`),
  exportCameras: (format: "yaml" | "csv") =>
    request<CameraExport>("GET", `/api/camera-files/export?format=${format}`),
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

  imports: () => request<ImportSummary[]>("GET", "/api/imports"),
  import: (importId: string) => request<ImportInfo>("GET", `/api/imports/${id(importId)}`),
  beginImport: (source: string) => request<ImportInfo>("POST", "/api/imports", { source }),
  commitImport: (importId: string, consentNote: string) =>
    request<ImportSummary>("POST", `/api/imports/${id(importId)}/commit`, { consent_note: consentNote }),
  undoImport: (importId: string) => request<ImportSummary>("POST", `/api/imports/${id(importId)}/undo`),
  discardImport: (importId: string) => request<void>("DELETE", `/api/imports/${id(importId)}`),

  strangers: () => request<Stranger[]>("GET", "/api/strangers"),
  stranger: (strangerId: string) => request<StrangerDetail>("GET", `/api/strangers/${id(strangerId)}`),
  nameStrangers: (strangerIds: string[], who: Who) =>
    request<Person>("POST", "/api/strangers/name", { stranger_ids: strangerIds, ...who }),
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
  training: () => request<TrainingInfo>("GET", "/api/training"),
  trainingData: (kind: string) => request<TrainingData[]>("GET", `/api/training/data/${id(kind)}`),
  startTraining: (wanted: TrainingRequest) => request<Training>("POST", "/api/training/jobs", wanted),
  trainingJob: (jobId: string) => request<TrainingDetail>("GET", `/api/training/jobs/${id(jobId)}`),
  cancelTraining: (jobId: string) =>
    request<TrainingDetail>("POST", `/api/training/jobs/${id(jobId)}/cancel`),
  resumeTraining: (jobId: string) =>
    request<TrainingDetail>("POST", `/api/training/jobs/${id(jobId)}/resume`),
  deleteTraining: (jobId: string) => request<void>("DELETE", `/api/training/jobs/${id(jobId)}`),
  giveLabel: (model: string, label: "stable" | "canary", version: number) =>
    request<TrainingInfo>("PUT", `/api/training/models/${id(model)}/labels/${label}`, { version }),
  rollBack: (model: string) => request<TrainingInfo>("POST", `/api/training/models/${id(model)}/rollback`),
  /** Say who a face is that is in view, or was lately. */
  nameTrack: (trackId: string, who: Who) =>
    request<TrackNamed>("PUT", `/api/tracks/${id(trackId)}/name`, who),
  unnameTrack: (trackId: string) => request<void>("DELETE", `/api/tracks/${id(trackId)}/name`),

  beginEnrolment: (
    wanted: Pick<EnrolmentSessionCreate, "consent_text" | "consented_by" | "has_agreed"> &
      Partial<EnrolmentSessionCreate>,
  ) => request<EnrolmentSession>("POST", "/api/enrolment-sessions", wanted),
  enrolment: (sessionId: string) =>
    request<EnrolmentSession>("GET", `/api/enrolment-sessions/${id(sessionId)}`),
  enrolmentsOf: (personId: string) =>
    request<EnrolmentSession[]>("GET", `/api/enrolment-sessions?person_id=${id(personId)}`),
  deleteEnrolment: (sessionId: string) => request<void>("DELETE", `/api/enrolment-sessions/${id(sessionId)}`),
  checkFace: (sessionId: string, jpeg: Blob, pose: Pose | null, straight: { yaw: number; pitch: number }) => {
    const query = new URLSearchParams({
      straight_yaw: String(straight.yaw),
      straight_pitch: String(straight.pitch),
      ...(pose && { pose }),
    });
    return request<FaceCheck>("POST", `/api/enrolment-sessions/${id(sessionId)}/checks?${query}`, jpeg);
  },
  keepSessionPhoto: (sessionId: string, jpeg: Blob, shows: { kind: "pose" | "emotion"; label: string }) => {
    const query = new URLSearchParams({ [shows.kind]: shows.label });
    return request<Photo>("POST", `/api/enrolment-sessions/${id(sessionId)}/photos?${query}`, jpeg);
  },

  system: () => request<SystemInfo>("GET", "/api/system"),
};

/** Upload photos of a person; *onProgress* hears the share sent, 0 to 1. */
export function uploadPhotos(personId: string, files: File[], onProgress: OnProgress): Promise<Photo[]> {
  const form = new FormData();
  for (const file of files) form.append("photos", file, file.name);
  return upload(`/api/people/${id(personId)}/photos`, form, onProgress);
}

/** Upload files of an import, each under its path in the folder. */
export function uploadImportFiles(
  importId: string,
  files: { path: string; file: File }[],
  onProgress: OnProgress,
): Promise<ImportSummary> {
  const form = new FormData();
  for (const { path, file } of files) form.append("photos", file, path);
  return upload(`/api/imports/${id(importId)}/photos`, form, onProgress);
}

/** Upload the zip archive of an import. */
export function uploadImportArchive(
  importId: string,
  archive: File,
  onProgress: OnProgress,
): Promise<ImportSummary> {
  const form = new FormData();
  form.append("archive", archive, archive.name);
  return upload(`/api/imports/${id(importId)}/archive`, form, onProgress);
}
