// A process that does nothing until it is ended.

/** Its command, on every system. */
export const idle: string[] =
  process.platform === "win32"
    ? [process.execPath, "-e", "setTimeout(() => {}, 2 ** 31 - 1)"]
    : ["sleep", "1000"];
