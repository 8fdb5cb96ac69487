# frozen_string_literal: true

# Stands for Homebrew: loads a formula and prints what it says for a system, as JSON. With a prefix it installs the
# directory that it runs in, and runs the formula's test.
#   ruby homebrew.rb FORMULA SYSTEM PROCESSOR [PREFIX]
require "fileutils"
require "json"
require "open3"
require "pathname"

FORMULA, SYSTEM, PROCESSOR, PREFIX = ARGV
HOMEBREW_PREFIX = Pathname.new(PREFIX || "/nowhere")

class Bin < Pathname
  def install(file)
    FileUtils.mv(file, self + file)
  end

  def install_symlink(links)
    links.each { |target, link| FileUtils.ln_s(target, self + link) }
  end

  def /(other)
    Pathname.new(to_s) + other
  end
end

class Formula
  STANZAS = {} # rubocop:disable Style/MutableConstant

  class << self
    %w[desc homepage version url sha256 license].each do |stanza|
      define_method(stanza) { |value| STANZAS[stanza] = value unless @checking }
    end

    def livecheck
      @checking = true
      yield
      @checking = false
    end

    def strategy(name) = STANZAS["strategy"] = name

    { macos: "macos", linux: "linux", arm: "arm", intel: "intel" }.each do |on, here|
      define_method("on_#{on}") { |&block| block.call if [SYSTEM, PROCESSOR].include?(here) }
    end

    def test(&block) = define_method(:run_test, &block)
  end

  def bin = Bin.new(File.join(PREFIX, "bin"))

  def version = STANZAS["version"] || STANZAS["url"][%r{github\.com/.+/releases/download/(?:[rvV]_?)?(\d+(?:\.\d+)+)/}, 1]

  def generate_completions_from_executable(program, command, base_name:)
    files = { "bash" => base_name, "zsh" => "_#{base_name}", "fish" => "#{base_name}.fish" }
    files.each do |shell, file|
      output, status = Open3.capture2(program.to_s, command, shell)
      raise "no completions for #{shell}" unless status.success?

      path = Pathname.new(PREFIX) + shell + file
      path.dirname.mkpath
      path.write(output)
    end
  end

  def shell_output(command) = pipe_output(command, "", 0)

  def pipe_output(command, input, expected)
    output, status = Open3.capture2(command, stdin_data: input)
    assert_equal expected, status.exitstatus
    output
  end

  def assert_equal(expected, actual)
    raise "#{expected.inspect} expected, not #{actual.inspect}" unless expected == actual
  end
end

load FORMULA
formula = ObjectSpace.each_object(Class).find { |one| one < Formula }.new
puts JSON.generate(Formula::STANZAS.merge("scanned" => formula.version))
exit unless PREFIX
formula.bin.mkpath
# As `brew info` does.
puts formula.caveats
formula.install
puts formula.caveats
formula.run_test
