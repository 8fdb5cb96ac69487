// What a desktop does for us, where there is one: opening a file, showing a notification.
import { isAbsolute, pathListSeparator } from "./paths.ts";

type Environment = Record<string, string | undefined>;

/** The command that opens a file as a double click does; nothing where there is no desktop. */
export function openCommand(path: string, environment: Environment = process.env): string[] | undefined {
  if (process.platform === "darwin") return ["/usr/bin/open", path];
  // `start` is a word of the shell's; the empty text is the title that it would else take the path for.
  if (process.platform === "win32") return ["cmd.exe", "/c", "start", "", path];
  const opener = hasDesktop(environment) ? which("xdg-open", environment) : undefined;
  return opener === undefined ? undefined : [opener, path];
}

/** The command that shows a notification; nothing where there is none. */
export function notificationCommand(
  title: string,
  text: string,
  environment: Environment = process.env,
): string[] | undefined {
  if (process.platform === "darwin") {
    const script = "on run argv\ndisplay notification (item 2 of argv) with title (item 1 of argv)\nend run";
    return ["/usr/bin/osascript", "-e", script, title, text];
  }
  if (process.platform === "win32") return ["powershell.exe", "-NoProfile", "-Command", balloon(title, text)];
  const notifier = hasDesktop(environment) ? which("notify-send", environment) : undefined;
  return notifier === undefined
    ? undefined
    : [notifier, "--app-name=parallel-claude-code-mcp", "--", title, text];
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

function balloon(title: string, text: string): string {
  const quoted = (words: string) => `'${words.replaceAll("'", "''")}'`;
  return [
    "Add-Type -AssemblyName System.Windows.Forms, System.Drawing",
    "$icon = New-Object System.Windows.Forms.NotifyIcon",
    "$icon.Icon = [System.Drawing.SystemIcons]::Information",
    "$icon.Visible = $true",
    `$icon.ShowBalloonTip(5000, ${quoted(title)}, ${quoted(text)}, 'Info')`,
    "Start-Sleep -Seconds 5",
    "$icon.Dispose()",
  ].join("; ");
}
