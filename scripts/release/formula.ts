// The Homebrew formula, for a tap. What `brew audit --strict --new` asks of it is held by formula.test.ts.
import { archiveOf, downloads, names, release } from "./release.ts";
import { type Target, targets } from "./targets.ts";

/** The formula, with the checksum of each archive. */
export function formulaOf(checksums: ReadonlyMap<string, string>): string {
  const className = release.name.replace(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase());
  return `class ${className} < Formula
  desc "MCP server and command-line tool to run Claude Code sessions in parallel"
  homepage "${release.repository}"
${version()}  license "${release.license}"

  livecheck do
    url :stable
    strategy :github_latest
  end

${system("darwin", "macos", checksums)}

${system("linux", "linux", checksums)}

  def install
    bin.install "${release.name}"
    bin.install_symlink "${release.name}" => "${release.secondName}"
    # A C compiler has the same short name. Linking would fail over it, so whatever has the name keeps it.
    bin.install_symlink "${release.name}" => "${release.shortName}" if short_name_free?
    ${bothNames} do |command|
      generate_completions_from_executable(bin/command, "completions", base_name: command)
    end
  end

  def short_name_free?
    short = HOMEBREW_PREFIX/"bin/${release.shortName}"
    return !short.exist? unless short.symlink?

    short.readlink.to_s.include?("/Cellar/${release.name}/")
  end

  # Homebrew also asks before it installs anything.
  def caveats
    return if (bin/"${release.shortName}").symlink? || short_name_free?

    "The short name ${release.shortName} is left out, because another program in #{HOMEBREW_PREFIX}/bin has it."
  end

  test do
    request = {
      jsonrpc: "2.0",
      id:      1,
      method:  "initialize",
      params:  {
        protocolVersion: "2025-11-25",
        capabilities:    {},
        clientInfo:      { name: "homebrew", version: "1" },
      },
    }
    ${bothNames} do |command|
      assert_equal version.to_s, shell_output("#{bin}/#{command} --version").strip
      answer = JSON.parse(pipe_output("#{bin}/#{command}", "#{JSON.generate(request)}\\n", 0))
      assert_equal "${release.name}", answer.dig("result", "serverInfo", "name")
    end
  end
end
`;
}

const bothNames = `[${names.map((name) => `"${name}"`).join(", ")}].each`;

// Homebrew reads the version of a release from the address of its archives, and refuses to be told it again. It does not read
// the one of a release candidate.
function version(): string {
  return /^\d+(\.\d+)+$/.test(release.version) ? "" : `  version "${release.version}"\n`;
}

function system(os: Target["os"], name: string, checksums: ReadonlyMap<string, string>): string {
  return `  on_${name} do
    on_arm do
${archive(os, "arm64", checksums)}
    end
    on_intel do
${archive(os, "x64", checksums)}
    end
  end`;
}

function archive(os: Target["os"], cpu: Target["cpu"], checksums: ReadonlyMap<string, string>): string {
  const target = targets.find((one) => one.os === os && one.cpu === cpu && one.libc !== "musl");
  const name = target && archiveOf(target);
  const checksum = name && checksums.get(name);
  if (!checksum) throw new Error(`Internal error: no archive for ${os} ${cpu}`);
  return `      url "${downloads}/${name}"\n      sha256 "${checksum}"`;
}
