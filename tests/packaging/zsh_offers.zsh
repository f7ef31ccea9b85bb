# What a real, interactive zsh offers at Tab: zsh -f zsh_offers.zsh FUNCTIONS LINE
#
# FUNCTIONS is the folder of the completion, LINE what has been typed. Prints one word on a line.
# The shell at the other end of the terminal reads this file too, with one argument.

if (( $# == 1 )); then
  PROMPT=
  fpath=($1 $fpath)
  autoload -Uz compinit && compinit -u -D
  # Every word that is offered passes here. Calls that only ask which words match are left alone.
  compadd() {
    if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
      builtin compadd "$@"
      return
    fi
    local -a hits
    builtin compadd -A hits "$@"
    (( $#hits )) && print -l -- word:$^hits
    builtin compadd "$@"
  }
  finished() { print -- end:of:offers }
  comppostfuncs=(finished)
  bindkey "^I" complete-word
  print ready:to:type
  return
fi

zmodload zsh/zpty || exit 2
zpty shell zsh -f -i
zpty -w shell "source ${(q)0:A} ${(q)1}"
integer deadline=$((SECONDS + 20))
while (( SECONDS < deadline )); do
  zpty -r shell line || break
  line=${line//[$'\r\n']/}
  case $line in
    *ready:to:type) zpty -w -n shell "$2"$'\t' ;;
    *word:*) print -r -- ${line##*word:} ;;
    *end:of:offers*) exit 0 ;;
  esac
done
print -u2 "zsh did not answer"
exit 1
