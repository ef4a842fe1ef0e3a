# SPDX-License-Identifier: GPL-3.0-or-later
# bash: what may follow on a line with reroutectl, which knows it itself

_reroutectl ()
{
  local line=${COMP_LINE:0:COMP_POINT} words=() before=() current answer kept
  read -ra words <<<"$line"
  [[ $line != *[[:space:]] ]] || words+=('')
  # Options in front of the verb go to the one that is asked.
  local i=1
  while ((i < ${#words[@]} - 1)) && [[ ${words[i]} == --* ]]; do
    before+=("${words[i]}")
    ((i++))
  done
  current=${words[-1]}
  COMPREPLY=()
  if ((i == ${#words[@]} - 1)) && [[ $current == --* ]]; then
    mapfile -t COMPREPLY < <(compgen -W '--session --bus= --host= --json --version --help' -- "$current")
  elif answer=$("${words[0]}" "${before[@]}" --complete -- "${words[@]:i}" 2>/dev/null); then
    # The meanings are for shells that show them; of a word, bash replaces what stands behind the last = or :,
    # and takes what it gets as it would be typed.
    kept=${current%"${current##*[=:]}"}
    while IFS=$'\t' read -r answer _; do
      [[ -n $answer ]] || continue
      printf -v answer %q "${answer#"$kept"}"
      COMPREPLY+=("$answer")
    done <<<"$answer"
  else
    compopt -o default
  fi
  [[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace
}

complete -F _reroutectl reroutectl
