// The scripts by which shells ask this program for candidates. They contain no command names.
import { product } from "../../../model/product.ts";

export const shells = ["bash", "zsh", "fish", "powershell"] as const;
export type Shell = (typeof shells)[number];

/** The line that enables completion, for each shell. */
export const installLines: Record<Shell, string> = {
  bash: `eval "$(${product.name} completions bash)"`,
  zsh: `source <(${product.name} completions zsh)`,
  fish: `${product.name} completions fish > ~/.config/fish/completions/${product.name}.fish`,
  powershell: `${product.name} completions powershell | Out-String | Invoke-Expression`,
};

/** Where that line belongs. */
export const installPlaces: Record<Shell, string> = {
  bash: "in ~/.bashrc",
  zsh: "in ~/.zshrc, after `compinit`",
  fish: "once",
  powershell: "in $PROFILE",
};

/** The script of a shell. `hasShortName`: also for the short one, which another program may have. */
export function scriptOf(shell: Shell, hasShortName = false): string {
  const names = [product.name, ...product.otherNames, ...(hasShortName ? [product.shortName] : [])];
  // So that compinit finds it as a file, where package managers put it.
  const first = shell === "zsh" ? `#compdef ${names.join(" ")}\n` : "";
  return `${first}# Completions of ${product.name} for ${shell}; ${installPlaces[shell]}: ${installLines[shell]}\n${scripts[shell](names)}`;
}

/** The hidden command that they call; `main.ts` handles it. */
const ask = "__complete";

// macOS has bash 3.2, without mapfile and compopt, whose `source` reads nothing from `<(…)`.
const bash = (names: readonly string[]) => `_parallel_claude_names() {
  type compopt >/dev/null 2>&1 && compopt -o filenames
  local name
  while IFS= read -r name; do COMPREPLY+=("$name"); done < <(compgen "$1" -- "$2")
}
_parallel_claude() {
  local current=\${COMP_WORDS[COMP_CWORD]} word about
  [[ $current == "=" ]] && current=
  COMPREPLY=()
  while IFS=$'\\t' read -r word about; do
    case $word in
      :files) _parallel_claude_names -f "$current" ;;
      :directories) _parallel_claude_names -d "$current" ;;
      *) COMPREPLY+=("$word") ;;
    esac
  done < <("\${COMP_WORDS[0]}" ${ask} "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _parallel_claude ${names.join(" ")}
`;

const zsh = (names: readonly string[]) => `_parallel_claude() {
  local line word about
  local -a found shown
  for line in "\${(@f)$("\${words[1]}" ${ask} "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    word=\${line%%$'\\t'*}
    about=\${line#*$'\\t'}
    case $word in
      "") ;;
      :files) _files ;;
      :directories) _files -/ ;;
      *)
        found+=("$word")
        if [[ -n $about ]]; then shown+=("$word  -- $about"); else shown+=("$word"); fi
        ;;
    esac
  done
  (( $#found )) && compadd -l -d shown -a found
}
compdef _parallel_claude ${names.join(" ")}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _parallel_claude "$@"; fi
`;

const fish = (names: readonly string[]) => `function __parallel_claude_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    test (count $current) -eq 0; and set current ""
    for line in ($words[1] ${ask} $words[2..-1] $current 2>/dev/null)
        switch $line
            case ':files*'
                __fish_complete_path $current
            case ':directories*'
                __fish_complete_directories $current
            case '*'
                echo $line
        end
    end
end
${names.map((name) => `complete -c ${name} -f -a '(__parallel_claude_complete)'`).join("\n")}
`;

const powershell = (
  names: readonly string[],
) => `Register-ArgumentCompleter -Native -CommandName ${names.join(", ")} -ScriptBlock {
    param($word, $ast, $position)
    $words = @($ast.CommandElements | Where-Object { $_.Extent.EndOffset -le $position } | ForEach-Object { "$_" })
    $before = @($words | Select-Object -Skip 1)
    if ($word -ne '' -and $before.Count -gt 0 -and $before[-1] -eq $word) {
        $before = @($before | Select-Object -SkipLast 1)
    }
    # An empty word would get lost on its way to the program in older versions.
    $last = if ($word -eq '' -and $PSVersionTable.PSVersion -lt [version]'7.3') { '""' } else { $word }
    & $words[0] ${ask} @before $last 2>$null | ForEach-Object {
        $found, $about = $_ -split "\`t", 2
        if ($found -eq ':files' -or $found -eq ':directories') {
            Get-ChildItem -Name -Path "$word*" -Directory:($found -eq ':directories') | ForEach-Object {
                [System.Management.Automation.CompletionResult]::new($_, $_, 'ProviderItem', $_)
            }
        } else {
            if (-not $about) { $about = $found }
            [System.Management.Automation.CompletionResult]::new($found, $found, 'ParameterValue', $about)
        }
    }
}
`;

const scripts: Record<Shell, (names: readonly string[]) => string> = { bash, zsh, fish, powershell };
