// The Homebrew formula, for a tap.
import { archiveOf, downloads, release } from "./release.ts";
import { type Target, targets } from "./targets.ts";

/** The formula, with the checksum of each archive. */
export function formulaOf(checksums: ReadonlyMap<string, string>): string {
  const at = (os: Target["os"], cpu: Target["cpu"]): string => {
    const target = targets.find((one) => one.os === os && one.cpu === cpu && one.libc !== "musl");
    const archive = target && archiveOf(target);
    const checksum = archive && checksums.get(archive);
    if (!checksum) throw new Error(`Internal error: no archive for ${os} ${cpu}`);
    return `      url "${downloads}/${archive}"\n      sha256 "${checksum}"`;
  };
  const block = (os: Target["os"], name: string) =>
    `  on_${name} do\n    on_arm do\n${at(os, "arm64")}\n    end\n    on_intel do\n${at(os, "x64")}\n    end\n  end`;
  const className = release.name.replace(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase());
  return `class ${className} < Formula
  desc "Run headless Claude Code sessions in parallel: MCP server and command-line"
  homepage "${release.repository}"
  version "${release.version}"
  license "${release.license}"

  livecheck do
    url :stable
    strategy :github_latest
  end

${block("darwin", "macos")}

${block("linux", "linux")}

  def install
    bin.install "${release.name}"
    bin.install_symlink "${release.name}" => "${release.secondName}"
  end

  test do
    request = {
      jsonrpc: "2.0", id: 1, method: "initialize",
      params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "brew", version: "1" } }
    }
    answer = pipe_output(bin/"${release.secondName}", "#{JSON.generate(request)}\\n", 0)
    assert_equal "${release.name}", JSON.parse(answer)["result"]["serverInfo"]["name"]
    assert_match version.to_s, shell_output("#{bin}/${release.name} --version")
  end
end
`;
}
