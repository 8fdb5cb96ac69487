// What a desktop does for us, where there is one: opening a file, showing a notification.
import type { Environment } from "./environment.ts";
import { isAbsolute, pathListSeparator } from "./paths.ts";

/**
 * The command that opens a file as a double click does; nothing where there is no desktop. No shell stands in between: a
 * path may hold what one obeys.
 */
export function openCommand(
  path: string,
  environment: Environment = process.env,
  platform = process.platform,
): string[] | undefined {
  if (platform === "darwin") return ["/usr/bin/open", path];
  if (platform === "win32")
    return [inSystem("rundll32.exe", environment), "url.dll,FileProtocolHandler", path];
  const opener = hasDesktop(environment) ? which("xdg-open", environment) : undefined;
  return opener === undefined ? undefined : [opener, path];
}

/** A command, and what it needs in its environment. */
export interface Notice {
  command: string[];
  variables: Record<string, string>;
}

/** The command that shows a notification; nothing where there is none. No script holds the words: they are data. */
export function notificationCommand(
  title: string,
  text: string,
  environment: Environment = process.env,
  platform = process.platform,
): Notice | undefined {
  if (platform === "darwin") {
    const script = "on run argv\ndisplay notification (item 2 of argv) with title (item 1 of argv)\nend run";
    return { command: ["/usr/bin/osascript", "-e", script, title, text], variables: {} };
  }
  if (platform === "win32") {
    const shell = inSystem("WindowsPowerShell\\v1.0\\powershell.exe", environment);
    const command = [shell, "-NoProfile", "-NonInteractive", "-Command", balloon];
    return { command, variables: { NOTICE_TITLE: title, NOTICE_TEXT: text } };
  }
  const notifier = hasDesktop(environment) ? which("notify-send", environment) : undefined;
  if (notifier === undefined) return undefined;
  return { command: [notifier, "--app-name=parallel-claude-code-mcp", "--", title, text], variables: {} };
}

// A name alone is looked for in the working directory, too.
function inSystem(program: string, { SystemRoot, SYSTEMROOT }: Environment): string {
  return `${SystemRoot ?? SYSTEMROOT ?? "C:\\Windows"}\\System32\\${program}`;
}

// Without a display, `xdg-open` would start a browser of text in our terminal.
function hasDesktop({ DISPLAY, WAYLAND_DISPLAY, WSL_DISTRO_NAME }: Environment): boolean {
  return [DISPLAY, WAYLAND_DISPLAY, WSL_DISTRO_NAME].some((value) => value !== undefined && value !== "");
}

// What lies in a stranger's working directory is never run: relative entries of PATH are passed over.
function which(name: string, { PATH = "" }: Environment): string | undefined {
  const absolute = PATH.split(pathListSeparator).filter(isAbsolute);
  return Bun.which(name, { PATH: absolute.join(pathListSeparator) }) ?? undefined;
}

// What PowerShell reads out of a variable is never read as a script, whatever quotes are in it: it knows nine of them.
const balloon = [
  "Add-Type -AssemblyName System.Windows.Forms, System.Drawing",
  "$icon = New-Object System.Windows.Forms.NotifyIcon",
  "$icon.Icon = [System.Drawing.SystemIcons]::Information",
  "$icon.Visible = $true",
  "$icon.ShowBalloonTip(5000, $env:NOTICE_TITLE, $env:NOTICE_TEXT, 'Info')",
  "Start-Sleep -Seconds 5",
  "$icon.Dispose()",
].join("; ");
