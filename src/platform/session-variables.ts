// The variables by which a process shows that it belongs to a session, or to a schedule.

/** The variable that every process of a session inherits. */
export const markerVariable = "PARALLEL_CLAUDE_ATTEMPT";

/** The variable that says how deeply a process is nested in sessions; absent outside of sessions. */
export const depthVariable = "PARALLEL_CLAUDE_DEPTH";

/** The variable that says to a command which log the system has it print into, because a schedule has started it. */
export const scheduleLogVariable = "PARALLEL_CLAUDE_SCHEDULE_LOG";
