// What a desktop can do for us, if there is one: open a file, show a notification.
import type { Environment } from "./environment.ts";
import { programNamed } from "./program.ts";

/**
 * The command that opens a file as a double click does; undefined without a desktop. No shell is involved, because a path
 * may contain characters that a shell interprets.
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

/**
 * The command that shows a notification; undefined if there is none. The words are passed as data, never inside a script.
 */
export function notificationCommand(
  { program, title, text }: { program: string; title: string; text: string },
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
  return { command: [notifier, `--app-name=${program}`, "--", title, text], variables: {} };
}

// A bare name would also be searched in the working directory.
function inSystem(program: string, { SystemRoot, SYSTEMROOT }: Environment): string {
  return `${SystemRoot ?? SYSTEMROOT ?? "C:\\Windows"}\\System32\\${program}`;
}

// Without a display, `xdg-open` would start a text browser in our terminal.
function hasDesktop({ DISPLAY, WAYLAND_DISPLAY, WSL_DISTRO_NAME }: Environment): boolean {
  return [DISPLAY, WAYLAND_DISPLAY, WSL_DISTRO_NAME].some((value) => value !== undefined && value !== "");
}

function which(name: string, { PATH }: Environment): string | undefined {
  return programNamed(name, "/", PATH);
}

// PowerShell never parses the value of a variable as a script, whatever quotes it contains; PowerShell knows nine kinds.
const balloon = [
  "Add-Type -AssemblyName System.Windows.Forms, System.Drawing",
  "$icon = New-Object System.Windows.Forms.NotifyIcon",
  "$icon.Icon = [System.Drawing.SystemIcons]::Information",
  "$icon.Visible = $true",
  "$icon.ShowBalloonTip(5000, $env:NOTICE_TITLE, $env:NOTICE_TEXT, 'Info')",
  "Start-Sleep -Seconds 5",
  "$icon.Dispose()",
].join("; ");
