// How long what runs may take to end, where it is taken out of service.
import { z } from "zod";

/** In seconds, at most a day. */
export function drainSeconds(description: string) {
  return z.number().min(0).max(86_400).meta({ description, placeholder: "N" }).optional();
}
