#compdef ncserver
# zsh completion of ncserver, made from the tables of the program itself.

_ncserver() {
  local -a specifications=(
@COMMON@
  )
  _arguments -s -S : $specifications
}

_ncserver "$@"
