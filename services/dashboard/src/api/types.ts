/** Names for the generated types, so that a page never reaches into the generated file. */
import type { components } from "./generated/openapi";

type Schemas = components["schemas"];

export type Session = Schemas["SessionInfo"];
export type Camera = Schemas["CameraInfo"];
export type CameraStatus = Schemas["CameraStatusInfo"];
export type CameraState = CameraStatus["state"];
export type CameraHistory = Schemas["CameraHistory"];
export type Schedule = Schemas["ScheduleInfo"];
export type OpenHours = Schemas["OpenHoursInfo"];
export type CameraCreate = Schemas["CameraCreate"];
export type CameraEdit = Schemas["CameraEdit"];
export type Zone = Schemas["IgnoredZoneInfo"];
export type Fitness = Schemas["FitnessInfo"];
export type FitnessReport = Schemas["FitnessReport"];
export type CameraWork = Schemas["CameraWork"];
export type Person = Schemas["PersonInfo"];
export type PersonEdit = Schemas["PersonEdit"];
export type Photo = Schemas["PhotoInfo"];
export type Sighting = Schemas["SightingInfo"];
export type Stranger = Schemas["StrangerInfo"];
export type StrangerDetail = Schemas["StrangerDetail"];
export type Visit = Schemas["VisitInfo"];
export type Calibration = Schemas["CalibrationInfo"];
export type SystemInfo = Schemas["SystemInfo"];
export type CameraAnswers = Schemas["AnswersInfo"];
export type CameraAnswer = CameraAnswers["replies"][number];
export type CameraDevice = Schemas["CameraDeviceInfo"];
export type CameraTest = Schemas["TestReply"];
export type CameraSearchEnd = Schemas["SearchReply"];
export type CameraStreams = Schemas["ProfilesReply"];
export type StreamProfile = Schemas["StreamProfileInfo"];
export type StreamReport = Schemas["StreamReportInfo"];
export type ImportPreview = Schemas["ImportPreview"];
export type ImportProgress = Schemas["ImportProgress"];
export type ImportUndone = Schemas["ImportUndone"];
export type CameraExport = Schemas["CameraExport"];
