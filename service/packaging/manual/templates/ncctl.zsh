#compdef ncctl
# zsh completion of ncctl, made from the tables of the program itself.

_ncctl_commands() {
  local -a commands=(
@COMMANDS@
  )
  _describe -t commands command commands
}

# The names that the daemon knows right now; $1 is the command line that they are to end.
_ncctl_live() {
  local -a names=(${(f)"$(_call_program names ${(q)program} ${(q)dir} complete ${(q)1} 2>/dev/null)"})
  compadd -a names
}
_ncctl_channels() { _ncctl_live "showchannel " }
_ncctl_clients() { _ncctl_live "showclient $words[CURRENT-1] " }
_ncctl_nodes() { _ncctl_live "node " }
_ncctl_targets() { _ncctl_live "nodes " }

_ncctl() {
  local curcontext=$curcontext context state state_descr line program=$words[1]
  local -A opt_args
  local -a dir of common=(
@COMMON@
  )
  _arguments -C -s -S : $common '1:command:_ncctl_commands' '*::argument:->argument' && return
  [[ $state == argument ]] || return
  (( $+opt_args[--dir] )) && dir=(--dir ${opt_args[--dir]})
  case $words[1] in
@ARGUMENTS@
  esac
  _arguments -s -S : $common $of
}

_ncctl "$@"
