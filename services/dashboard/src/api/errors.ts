/** What a failed request says, sorted to the fields of the form that caused it. */

import { sentence } from "../words";

export type FieldErrors = Record<string, string>;

export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    message: string,
    /** HTTP status; 0 when the gateway could not be reached. */
    readonly status: number,
    readonly fields: FieldErrors = {},
  ) {
    super(message);
  }
}

interface ValidationIssue {
  loc: (string | number)[];
  msg: string;
}

/** Read `{"detail": words}` or FastAPI's list of validation issues. */
export function errorFromBody(status: number, body: unknown): ApiError {
  const detail = (body as { detail?: unknown } | null)?.detail;
  if (Array.isArray(detail)) {
    const fields: FieldErrors = {};
    for (const issue of detail as ValidationIssue[]) {
      fields[String(issue.loc.at(-1) ?? "")] = sentence(issue.msg);
    }
    return new ApiError(Object.values(fields).join(" ") || fallback(status), status, fields);
  }
  if (typeof detail !== "string" || detail === "") return new ApiError(fallback(status), status);
  const prefixed = /^([a-z_]+): (.+)$/s.exec(detail);
  if (prefixed) {
    const [, field = "", words = ""] = prefixed;
    return new ApiError(sentence(words), status, { [field]: sentence(words) });
  }
  return new ApiError(sentence(detail), status);
}

/** Sort an error without a field of its own to the field whose words it uses; the first that fits wins. */
export function fieldErrors(error: ApiError, hints: [field: string, words: RegExp][]): FieldErrors {
  if (Object.keys(error.fields).length > 0) return error.fields;
  const hint = hints.find(([, words]) => words.test(error.message));
  return hint ? { [hint[0]]: error.message } : {};
}

function fallback(status: number): string {
  if (status === 0) return "Mien can't be reached. Check that it is running.";
  if (status === 403) return "You may not do that.";
  if (status === 404) return "That is not there any more.";
  if (status === 413) return "That is too large.";
  if (status === 429) return "Too many attempts. Wait a minute and try again.";
  return `Something went wrong on the server (${status}).`;
}
