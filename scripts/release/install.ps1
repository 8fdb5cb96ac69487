# Installs parallel-claude-code-mcp for the current user, or upgrades it. For Windows PowerShell 5.1 and PowerShell 7.
#   install.ps1 [-Dir DIRECTORY] [-Version VERSION]
#   irm https://.../install.ps1 | iex
#   & ([scriptblock]::Create((irm https://.../install.ps1))) -Dir D:\tools
# PARALLEL_CLAUDE_DOWNLOADS names another place to download from: a directory with the archives and SHA256SUMS.
# Everything is in functions, and the last line in braces, so that a download of this script that was cut off does nothing.
# There is no exit: it would close the window of whoever pipes this into iex.
param([string]$Dir = "", [string]$Version = "latest")

function Install-ParallelClaude([string]$Directory, [string]$Version) {
  Set-StrictMode -Version 3.0
  $ErrorActionPreference = "Stop"
  # The bar makes a download of Windows PowerShell many times slower.
  $ProgressPreference = "SilentlyContinue"
  if ($env:OS -ne "Windows_NT") { throw "This is for Windows; on Linux and macOS, use install.sh." }
  $name = "parallel-claude-code-mcp"
  $second = "claude-code-parallel-mcp-server.cmd"
  $short = "pcc.cmd"
  $repository = "https://github.com/OWNER/parallel-claude-code-mcp"
  $wanted = $Version -replace "^v", ""
  $base = "$repository/releases/latest/download"
  if ($wanted -ne "latest") { $base = "$repository/releases/download/v$wanted" }
  if ($env:PARALLEL_CLAUDE_DOWNLOADS) { $base = $env:PARALLEL_CLAUDE_DOWNLOADS.TrimEnd("/") }
  $archive = "$name-windows-$(Get-ParallelClaudeProcessor).zip"
  if (-not $Directory) { $Directory = "$env:LOCALAPPDATA\Programs\$name" }
  # .NET has a current directory of its own.
  $Directory = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Directory).TrimEnd("\")
  $exe = "$Directory\$name.exe"

  $made = -not [IO.Directory]::Exists($Directory)
  # Beside the place it goes to, for only within one volume is a move a rename.
  $work = "$Directory\.$name.$([Guid]::NewGuid().ToString('N'))"
  $protocols = [Net.ServicePointManager]::SecurityProtocol
  try {
    try { [void][IO.Directory]::CreateDirectory($work) }
    catch { throw "$Directory cannot be written; choose another directory with -Dir. $($_.Exception.Message)" }
    # Where 0 stands, Windows chooses; an older one would choose what no server takes any more.
    if ([int]$protocols -ne 0) {
      [Net.ServicePointManager]::SecurityProtocol = $protocols -bor [Net.SecurityProtocolType]::Tls12
    }
    Write-Output "Downloading $base/$archive"
    foreach ($file in "SHA256SUMS", $archive) {
      try { Invoke-WebRequest -UseBasicParsing -Uri "$base/$file" -OutFile "$work\$file" }
      catch { throw "$base/$file could not be downloaded; nothing was installed. $($_.Exception.Message)" }
    }
    Assert-ParallelClaudeChecksum "$work\SHA256SUMS" "$work\$archive" $archive
    Add-Type -AssemblyName System.IO.Compression.FileSystem
    [IO.Compression.ZipFile]::ExtractToDirectory("$work\$archive", "$work\new")
    $now = "$(& "$work\new\$name.exe" --version)".Trim()
    if ($LASTEXITCODE -ne 0) { throw "The program does not run on this system; nothing was installed." }
    if ($wanted -ne "latest" -and $now -ne $wanted) { throw "$base has version $now, not $wanted; nothing was installed." }
    Move-ParallelClaude "$work\new\$name.exe" $exe
    [IO.File]::Copy("$work\new\$second", "$Directory\$second", $true)
    $other = Find-ParallelClaudeShort $Directory $name
    if (-not $other) { [IO.File]::Copy("$work\new\$second", "$Directory\$short", $true) }
  } finally {
    [Net.ServicePointManager]::SecurityProtocol = $protocols
    Remove-Item -Recurse -Force -LiteralPath $work -ErrorAction SilentlyContinue
    # Those that still run cannot be removed: the next upgrade does it.
    Get-ChildItem -LiteralPath $Directory -Filter "$name.old.*.exe" -ErrorAction SilentlyContinue |
      Remove-Item -Force -ErrorAction SilentlyContinue
    if ($made -and -not (Get-ChildItem -Force -LiteralPath $Directory -ErrorAction SilentlyContinue)) {
      Remove-Item -LiteralPath $Directory -ErrorAction SilentlyContinue
    }
  }

  Write-Output "$name $now is installed: $exe, also as $($second -replace '\.cmd$', '')$(if (-not $other) { ' and pcc' })."
  if ($other) { Write-Output "The short name pcc was not installed, because another program has it: $other" }
  Write-ParallelClaudePath $name $exe $Directory
  $program = "& '$($exe -replace "'", "''")'"
  Write-Output "To add it to an MCP client, after a look at what changes:"
  Write-Output "  $program install                         lists the clients of this machine"
  Write-Output "  $program install --client claude-code"
  Write-Output "Or put it into the client's configuration yourself:"
  $command = ConvertTo-Json $exe
  Write-Output "  { `"mcpServers`": { `"claude-code`": { `"command`": $command, `"args`": [], `"env`": {} } } }"
  $files = @($exe, "$Directory\$second") + @(if (-not $other) { "$Directory\$short" })
  Write-Output "To remove it: Remove-Item -LiteralPath $(($files | ForEach-Object { "'$($_ -replace "'", "''")'" }) -join ', ')"
}

# A C compiler has the same short name. Whatever has it already keeps it, in this directory and on the PATH: its path, or nothing.
function Find-ParallelClaudeShort([string]$Directory, [string]$Name) {
  $own = "$Directory\pcc.cmd"
  if ([IO.File]::Exists($own)) {
    if ([IO.File]::ReadAllText($own).Contains("$Name.exe")) { return }
    return $own
  }
  $found = Get-Command "pcc" -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
  if ($found) { return $found.Source }
}

# What the machine has: a PowerShell that is imitated is told of the processor that is imitated for it.
function Get-ParallelClaudeProcessor {
  $place = "HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
  $known = Get-ItemProperty -LiteralPath $place -ErrorAction SilentlyContinue
  $processor = if ($known) { $known.PROCESSOR_ARCHITECTURE } else { $env:PROCESSOR_ARCHITECTURE }
  switch ($processor) {
    "AMD64" { return "x64" }
    "ARM64" { return "arm64" }
    default { throw "There is no program for the processor $processor, only for AMD64 and ARM64." }
  }
}

function Assert-ParallelClaudeChecksum([string]$Sums, [string]$Path, [string]$Archive) {
  $expected = $null
  foreach ($line in [IO.File]::ReadAllLines($Sums)) {
    $words = -split $line
    if ($words.Count -eq 2 -and $words[1] -ceq $Archive) { $expected = $words[0] }
  }
  if (-not $expected) { throw "SHA256SUMS does not name $Archive; nothing was installed." }
  $algorithm = [Security.Cryptography.SHA256]::Create()
  $stream = [IO.File]::OpenRead($Path)
  try { $actual = [BitConverter]::ToString($algorithm.ComputeHash($stream)) -replace "-", "" }
  finally { $stream.Dispose(); $algorithm.Dispose() }
  # Without regard to case.
  if ($actual -ine $expected) {
    throw "$Archive has the checksum $actual and should have ${expected}: it was cut off or changed; nothing was installed."
  }
}

# A program that runs cannot be overwritten, but renamed. Whoever runs the earlier one keeps it.
function Move-ParallelClaude([string]$From, [string]$To) {
  $old = $null
  if ([IO.File]::Exists($To)) {
    $old = $To -replace "\.exe$", ".old.$([Guid]::NewGuid().ToString('N')).exe"
    [IO.File]::Move($To, $old)
  }
  try { [IO.File]::Move($From, $To) }
  catch {
    if ($old) { [IO.File]::Move($old, $To) }
    throw
  }
}

function Write-ParallelClaudePath([string]$Name, [string]$Exe, [string]$Directory) {
  $found = Get-Command $Name -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
  if (-not $found) {
    Write-Output "$Directory is not on your PATH. To put it there, for windows that you open from then on:"
  } elseif ($found.Source -ne $Exe) {
    Write-Output "Another installation comes first on your PATH: $($found.Source). Remove it, or put this one before it:"
  } else { return }
  $quoted = $Directory -replace "'", "''"
  Write-Output "  [Environment]::SetEnvironmentVariable('Path', '$quoted;' + [Environment]::GetEnvironmentVariable('Path', 'User'), 'User')"
}

& { Install-ParallelClaude $Dir $Version }
