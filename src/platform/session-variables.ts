// The variables by which a process shows that it belongs to a session.

/** The variable that every process of a session inherits. */
export const markerVariable = "PARALLEL_CLAUDE_ATTEMPT";

/** The variable that says how deeply a process is nested in sessions; absent outside of sessions. */
export const depthVariable = "PARALLEL_CLAUDE_DEPTH";
