// The timeline: one tab stop, with arrow keys inside it.
import { durationText } from "../amounts.ts";
import { barsFrom } from "../wire/bars.ts";
import { attemptId, barsClass, data, ids, partId, sessionClass } from "../wire/marks.ts";
import { byId, put } from "./elements.ts";
import { labelOf, statusOf, taskRows } from "./rows.ts";
import { reveal } from "./view.ts";

interface Session {
  task: number;
  row: HTMLTableRowElement;
  /** Which attempt at the task it is; 1-based. */
  attempt: number;
  slot: number;
  /** In milliseconds since the batch began. */
  from: number;
  lasted: number;
  runs: boolean;
}

/** The drawing and its extent: milliseconds across, slots down. */
interface Drawing {
  lanes: HTMLElement;
  bars: Element;
  spanMs: number;
  slots: number;
}

/** A bar may be narrower than a pixel: the nearest one within this distance is meant, in pixels. */
const nearPixels = 3;

/** What is said while no session is shown. */
const hint = "Point at a session, or use the arrow keys here, to see what it did.";

let cursor: Session | undefined;
/** Read from the rows, which change with the drawing. */
let known: { span: number; sessions: readonly Session[] } | undefined;

/** Handles pointer and keyboard. The container exists from the beginning; the timeline comes with the first session. */
export function takeTimeline(): void {
  const place = byId(partId("timeline"), HTMLElement);
  place.addEventListener("pointermove", (event) => {
    const drawing = drawingAt(event);
    if (drawing) show(sessionAt(drawing, event));
  });
  place.addEventListener("pointerleave", () => {
    if (document.activeElement !== document.getElementById(ids.lanes)) show(undefined);
  });
  place.addEventListener("click", (event) => {
    const drawing = drawingAt(event);
    if (!drawing) return;
    show(sessionAt(drawing, event));
    if (cursor) go(cursor);
  });
  place.addEventListener("focusin", (event) => {
    const drawing = drawingAt(event);
    if (drawing?.lanes === event.target) show(cursor ?? sessions(drawing)[0]);
  });
  place.addEventListener("keydown", (event) => {
    const drawing = drawingAt(event);
    if (drawing?.lanes === event.target) press(event, sessions(drawing));
  });
  upgradeTimeline();
}

/** Applies a new timeline, and selects the shown session in it again. */
export function followTimeline(): void {
  known = undefined;
  upgradeTimeline();
  const drawing = drawingNow();
  if (cursor && drawing) show(sessions(drawing).find(isCursor));
}

function press(event: KeyboardEvent, all: readonly Session[]): void {
  const at = all.findIndex(isCursor);
  const targets: Partial<Record<string, number>> = {
    ArrowRight: at + 1,
    ArrowLeft: at - 1,
    Home: 0,
    End: all.length - 1,
  };
  const to = targets[event.key];
  if (event.key === "Enter" && cursor) go(cursor);
  if (event.key === "Escape") show(undefined);
  if (to === undefined) return;
  event.preventDefault();
  show(all[Math.max(0, Math.min(all.length - 1, to))]);
}

function isCursor({ task, from }: Session): boolean {
  return task === cursor?.task && from === cursor.from;
}

function go({ row, attempt }: Session): void {
  const session = row.querySelector<HTMLAnchorElement>(`a.${sessionClass}`);
  const link = row.querySelector("a");
  if (session) location.href = `${session.href}#${attemptId(attempt)}`;
  else if (link) location.href = link.href;
  else reveal(row);
}

function upgradeTimeline(): void {
  const lanes = document.getElementById(ids.lanes);
  if (!lanes || lanes.tabIndex === 0) return;
  lanes.tabIndex = 0;
  lanes.setAttribute("role", "group");
  lanes.setAttribute("aria-roledescription", "timeline");
  put(document.getElementById(ids.readout), hint);
}

function drawingNow(): Drawing | undefined {
  const lanes = document.getElementById(ids.lanes);
  const bars = lanes?.getElementsByClassName(barsClass)[0];
  if (!lanes || !bars) return undefined;
  return { lanes, bars, spanMs: Number(lanes.dataset[data.span]), slots: Number(lanes.dataset[data.slots]) };
}

// The drawing, if the event is inside it.
function drawingAt({ target }: Event): Drawing | undefined {
  const drawing = drawingNow();
  return target instanceof Node && drawing?.lanes.contains(target) ? drawing : undefined;
}

// By start time.
function sessions({ spanMs }: Drawing): readonly Session[] {
  if (known?.span !== spanMs) known = { span: spanMs, sessions: sessionsOf(spanMs) };
  return known.sessions;
}

function sessionsOf(spanMs: number): Session[] {
  return taskRows()
    .flatMap(({ task, row }) =>
      barsFrom(row.dataset[data.bars] ?? "").map(({ slot, from, lasted }, index) => {
        return {
          task,
          row,
          attempt: index + 1,
          slot,
          from,
          lasted: lasted ?? spanMs - from,
          runs: lasted === undefined,
        };
      }),
    )
    .sort((a, b) => a.from - b.from || a.task - b.task);
}

function sessionAt(drawing: Drawing, { clientX, clientY }: PointerEvent | MouseEvent): Session | undefined {
  const { bars, spanMs, slots } = drawing;
  const box = bars.getBoundingClientRect();
  const slot = Math.floor(((clientY - box.top) / box.height) * slots);
  const ms = ((clientX - box.left) / box.width) * spanMs;
  let nearest: Session | undefined;
  let distance = (nearPixels / box.width) * spanMs;
  for (const session of sessions(drawing)) {
    const away = Math.max(session.from - ms, ms - session.from - session.lasted, 0);
    if (session.slot !== slot || (nearest ? away >= distance : away > distance)) continue;
    nearest = session;
    distance = away;
  }
  return nearest;
}

// Describes a session below the drawing and marks it; without one, neither.
function show(session: Session | undefined): void {
  cursor = session;
  const readout = document.getElementById(ids.readout);
  const mark = document.getElementById(ids.mark);
  const drawing = drawingNow();
  if (!readout || !mark || !drawing) return;
  mark.hidden = !session;
  put(readout, session ? sessionText(session) : hint);
  if (!session) return;
  const { bars, spanMs, slots } = drawing;
  const height = bars.getBoundingClientRect().height / slots;
  mark.style.left = `${(session.from / spanMs) * 100}%`;
  mark.style.width = `max(3px, ${(session.lasted / spanMs) * 100}%)`;
  mark.style.top = `${session.slot * height}px`;
  mark.style.height = `${height}px`;
}

function sessionText({ task, row, slot, from, lasted, runs }: Session): string {
  const length = `${durationText(lasted)}${runs ? " so far" : ""}, from ${durationText(from)} on`;
  return `Task ${task} · ${statusOf(row)} · ${length}, in slot ${slot + 1} · ${labelOf(row)}`;
}
