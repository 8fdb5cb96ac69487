# Installs by dist/install.ps1 from a server on loopback, and by npm from the packed packages, and tries both.
$ErrorActionPreference = "Stop"
$PSNativeCommandUseErrorActionPreference = $true
$name = "parallel-claude-code-mcp"
$place = Join-Path $env:RUNNER_TEMP "try"
New-Item -ItemType Directory -Force $place | Out-Null
$cpu = if ($env:PROCESSOR_ARCHITECTURE -eq "ARM64") { "arm64" } else { "x64" }

function Test-Program([string[]]$Command) {
  $first = $Command[0]
  $rest = @($Command | Select-Object -Skip 1)
  $initialize = '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"try","version":"1"}}}'
  $list = '{"jsonrpc":"2.0","id":2,"method":"tools/list"}'
  $version = & $first @rest --version
  $answers = ($initialize, $list | & $first @rest) -join "`n"
  if ($answers -notmatch "spawn_parallel_claude_sessions") { throw "$Command gave no list of tools: $answers" }
  Write-Output "$Command`: version $version, handshake and list of tools"
}

$server = Start-Process python -ArgumentList "-m", "http.server", "8932", "--bind", "127.0.0.1", "--directory", "dist" -PassThru -WindowStyle Hidden
try {
  $env:PARALLEL_CLAUDE_DOWNLOADS = "http://127.0.0.1:8932"
  # It listens a moment after it was started.
  foreach ($attempt in 1..50) {
    if (Test-Connection -TargetName 127.0.0.1 -TcpPort 8932 -Quiet) { break }
    Start-Sleep -Milliseconds 200
  }
  # Twice: fresh, and over a program that is there. The second time by the PowerShell that Windows comes with.
  & ./dist/install.ps1 -Dir "$place\bin"
  powershell -NoProfile -ExecutionPolicy Bypass -File ./dist/install.ps1 -Dir "$place\bin"
  # The program itself takes no variable of ours that it does not know.
  Remove-Item Env:PARALLEL_CLAUDE_DOWNLOADS
  Test-Program "$place\bin\$name.exe"
  Test-Program "$place\bin\claude-code-parallel-mcp-server.cmd"
} finally {
  Stop-Process -Id $server.Id
}

$version = (Get-Content package.json | ConvertFrom-Json).version
New-Item -ItemType Directory -Force "$place\npm" | Out-Null
Set-Content "$place\npm\package.json" '{ "private": true }'
$packages = "$PWD/dist/npm/$name-$version.tgz", "$PWD/dist/npm/$name-windows-$cpu-$version.tgz"
npm install --prefix "$place\npm" --ignore-scripts --no-audit --no-fund @packages
Test-Program "$place\npm\node_modules\.bin\$name.cmd"
Test-Program @("node", "$place\npm\node_modules\$name\launcher.mjs")
