# Installs parallel-claude-code-mcp for the current user, or upgrades it.
#   install.ps1 [-Dir DIRECTORY] [-Version VERSION]
# PARALLEL_CLAUDE_DOWNLOADS names another place to download from.
param([string]$Dir = "$env:LOCALAPPDATA\Programs\parallel-claude-code-mcp", [string]$Version = "latest")

function Install-ParallelClaude {
  $ErrorActionPreference = "Stop"
  $name = "parallel-claude-code-mcp"
  $repository = "https://github.com/OWNER/parallel-claude-code-mcp"
  $base = if ($Version -eq "latest") { "$repository/releases/latest/download" }
    else { "$repository/releases/download/v$($Version -replace '^v', '')" }
  if ($env:PARALLEL_CLAUDE_DOWNLOADS) { $base = $env:PARALLEL_CLAUDE_DOWNLOADS }
  # A 32-bit or an imitated PowerShell is told of its own processor; the second variable has the machine's.
  $processor = if ($env:PROCESSOR_ARCHITEW6432) { $env:PROCESSOR_ARCHITEW6432 } else { $env:PROCESSOR_ARCHITECTURE }
  $cpu = switch ($processor) { "AMD64" { "x64" } "ARM64" { "arm64" } default { throw "There is no program for the processor $processor." } }
  $archive = "$name-windows-$cpu.zip"

  New-Item -ItemType Directory -Force $Dir | Out-Null
  $work = Join-Path $Dir ".$name.$PID"
  New-Item -ItemType Directory -Force $work | Out-Null
  try {
    Invoke-WebRequest -UseBasicParsing "$base/SHA256SUMS" -OutFile "$work\SHA256SUMS"
    Invoke-WebRequest -UseBasicParsing "$base/$archive" -OutFile "$work\$archive"
    $line = Get-Content "$work\SHA256SUMS" | Where-Object { $_.EndsWith("  $archive") }
    if (-not $line) { throw "SHA256SUMS of $base does not name $archive." }
    $actual = (Get-FileHash -Algorithm SHA256 "$work\$archive").Hash.ToLower()
    if ($line.Split(" ")[0] -ne $actual) { throw "$archive has a wrong checksum: it was cut off or changed; nothing was installed." }
    Expand-Archive -Force "$work\$archive" "$work\new"
    # A program that runs cannot be overwritten, but renamed.
    if (Test-Path "$Dir\$name.exe") {
      Remove-Item -Force -ErrorAction SilentlyContinue "$Dir\$name.old.*.exe"
      Rename-Item "$Dir\$name.exe" "$name.old.$PID.exe"
    }
    Move-Item -Force "$work\new\$name.exe" "$Dir\$name.exe"
    Move-Item -Force "$work\new\claude-code-parallel-mcp-server.cmd" "$Dir\claude-code-parallel-mcp-server.cmd"
  } finally {
    Remove-Item -Recurse -Force $work
  }
  Write-Output "$name $(& "$Dir\$name.exe" --version) is installed: $Dir\$name.exe"
  if (($env:PATH -split ";") -notcontains $Dir) { Write-Output "$Dir is not on your PATH; add it in the settings of your account." }
  $command = "$Dir\$name.exe" -replace "\\", "\\"
  Write-Output "Your MCP client's configuration:"
  Write-Output "  { `"mcpServers`": { `"claude-code`": { `"command`": `"$command`", `"args`": [], `"env`": {} } } }"
}

Install-ParallelClaude
