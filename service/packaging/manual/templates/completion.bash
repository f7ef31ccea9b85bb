# bash completion of @PROGRAM@, made from the tables of the program itself.

_@PROGRAM@_wants() { # what the value of option $1 is; nothing for a switch
  case $1 in
@VALUES@
  esac
}

_@PROGRAM@_argument() { # what stands at place $2 behind command $1
  case $1:$2 in
@ARGUMENTS@
  esac
}

_@PROGRAM@_options() { # those of command $1, and those of every command
  echo "@COMMON@"
  case $1 in
@OPTIONS@
  esac
}

_@PROGRAM@() {
  local commands="@COMMANDS@" current=${COMP_WORDS[COMP_CWORD]} wants= word i
  local words=() dir=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ $word == = ]]; then
      continue
    elif [[ $wants ]]; then
      [[ $wants == DIR ]] && dir=(--dir "$word")
      wants=
    elif [[ $word == -?* ]]; then
      wants=$(_@PROGRAM@_wants "$word")
    else
      words+=("$word")
    fi
  done
  [[ $current == = ]] && current=

  if [[ $wants ]]; then
    :
  elif [[ $current == -* ]]; then
    wants="words $(_@PROGRAM@_options "${words[0]}")"
  elif [[ ! $commands ]]; then
    wants=$(_@PROGRAM@_argument "" ${#words[@]})
  elif [[ ${#words[@]} -eq 0 ]]; then
    wants="words $commands"
  else
    wants=$(_@PROGRAM@_argument "${words[0]}" $((${#words[@]} - 1)))
  fi

  # The names that the daemon knows right now.
  local program=${COMP_WORDS[0]} question=
  case $wants in
    COMMAND) wants="words $commands" ;;
    CHANNEL) question="showchannel " ;;
    UUID) question="showclient ${words[-1]} " ;;
    NODE) question="node " ;;
    TARGET) question="nodes " ;;
  esac
  [[ $question ]] && wants="words $("$program" "${dir[@]}" complete "$question" 2>/dev/null)"

  COMPREPLY=()
  case $wants in
    "words "*)
      # Not by `compgen -W`, which carries out what it is given: names come from the daemon.
      local -a offered
      local word
      mapfile -t offered < <(tr -s ' \t' '\n' <<<"${wants#words }")
      for word in "${offered[@]}"; do
        [[ $word && $word == "$current"* ]] && COMPREPLY+=("$word")
      done
      ;;
    DIR)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -d -- "$current")
      ;;
    FILE | PATH)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      ;;
  esac
}

complete -F _@PROGRAM@ @PROGRAM@
