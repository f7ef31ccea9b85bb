#compdef ncworker
# zsh completion of ncworker, made from the tables of the program itself.

_ncworker() {
  local -a specifications=(
@COMMON@
  )
  _arguments -s -S : $specifications
}

_ncworker "$@"
