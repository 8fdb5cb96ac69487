// What to do about a refusal of which more is known than its reason, by the name that it has in the outcome.
import { limitText } from "../model/limit-types.ts";

/** One sentence; nothing where the reason says all there is. `limitType` is the outcome's. */
export function limitAdvice(
  limitType: string | undefined,
  option: (name: string) => string,
): string | undefined {
  return limitText(limitType).advice?.(option);
}
