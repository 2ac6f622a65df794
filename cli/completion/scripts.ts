import { FILES } from './candidates.js';

export type Shell = 'bash' | 'zsh' | 'fish';

/** Completion scripts. They pass the words to `latchkey complete` unevaluated, so a Tab runs no command of the line. */
const SCRIPTS: Record<Shell, string> = {
  bash: `# Completion of latchkey for bash 4 and newer: source <(latchkey completion bash)
_latchkey() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == ${FILES} ]]; then
      compopt -o default
      return
    fi
    line=\${line%%$'\\t'*}
    COMPREPLY+=("$line")
  done < <("\${COMP_WORDS[0]}" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _latchkey latchkey
`,
  zsh: `#compdef latchkey
# Completion of latchkey for zsh: source <(latchkey completion zsh), after compinit
_latchkey() {
  local line
  local -a found
  while IFS= read -r line; do
    if [[ $line == ${FILES} ]]; then
      _files
      return
    fi
    found+=("\${\${line//:/\\\\:}/$'\\t'/:}")
  done < <("$words[1]" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  _describe latchkey found
}
if [ "$funcstack[1]" = _latchkey ]; then
  _latchkey "$@"
else
  compdef _latchkey latchkey
fi
`,
  fish: `# Completion of latchkey for fish: latchkey completion fish > ~/.config/fish/completions/latchkey.fish
function __latchkey_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l found ($words[1] complete -- $words[2..-1] "$current" 2>/dev/null)
  if test "$found" = ${FILES}
    __fish_complete_path "$current"
  else
    printf '%s\\n' $found
  end
end
complete -c latchkey -f -a '(__latchkey_complete)'
`,
};

export function scriptFor(shell: Shell): string {
  return SCRIPTS[shell];
}
