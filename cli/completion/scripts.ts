/** What a shell has to be told so that it asks us. */

/** Each asks with the words so far, the unfinished one last, and offers files where we know nothing. */
export const SCRIPTS = {
  bash: `# Completion of decnet for bash; needs bash 4.
# source <(decnet completion bash)
_decnet() {
  COMPREPLY=()
  mapfile -t COMPREPLY < <(
    "\${COMP_WORDS[0]}" __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null
  )
}
complete -o default -F _decnet decnet
`,
  zsh: `#compdef decnet
# Completion of decnet for zsh.
# source <(decnet completion zsh)
_decnet() {
  local -a candidates
  candidates=("\${(@f)$("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${candidates[1]}" ]]; then
    compadd -a candidates
  else
    _files
  fi
}
compdef _decnet decnet
`,
  fish: `# Completion of decnet for fish.
# decnet completion fish | source
function __decnet_complete
    set -l words (commandline -opc) (commandline -ct)
    $words[1] __complete $words[2..-1] 2>/dev/null
end
complete -c decnet -a '(__decnet_complete)'
`,
} as const
