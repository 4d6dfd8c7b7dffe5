/** The face somebody clicked, to say who it is. */
import { Store } from "../app/store";
import type { Answer } from "./protocol";

export interface ChosenFace {
  trackId: string;
  answer: Answer | null;
  personId: string | null;
  personName: string | null;
  strangerId: string | null;
  /** Called once it has another name, or its old one again. */
  changed?: () => void;
}

export const chosenFace = new Store<ChosenFace | null>(null);
