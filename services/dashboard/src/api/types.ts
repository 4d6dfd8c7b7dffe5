/** Names for the generated types, so that a page never reaches into the generated file. */
import type { components } from "./generated/openapi";

type Schemas = components["schemas"];

export type Session = Schemas["SessionInfo"];
export type Camera = Schemas["CameraInfo"];
export type CameraStatus = Schemas["CameraStatusInfo"];
export type CameraState = CameraStatus["state"];
export type CameraCreate = Schemas["CameraCreate"];
export type CameraEdit = Schemas["CameraEdit"];
export type Zone = Schemas["IgnoredZoneInfo"];
export type Fitness = Schemas["FitnessInfo"];
export type FitnessReport = Schemas["FitnessReport"];
export type CameraLooks = Schemas["CameraLooks"];
export type PersonLooks = Schemas["PersonLooks"];
export type Readings = Schemas["Readings"];
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
