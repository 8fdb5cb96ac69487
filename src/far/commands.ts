// What the processes of a far machine are called, and where they meet.

/** The hidden commands: the relay, which ssh starts, and the keeper. */
export const farCommands = { relay: "__far", keeper: "__host" } as const;

/** In the folder of far sessions: the socket of the keeper, who it is, and what it prints. */
export const farFiles = { socket: "socket", keeper: "keeper", log: "host.log" } as const;
