# What bash's completion offers: bash bash_offers.sh SCRIPT WORD…
#
# SCRIPT is the completion; the last WORD is the one at the cursor. Prints one word on a line.
. "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
program=${1##*/}
# The function that the script has registered for the program.
function=$(complete -p "$program") || exit
function=${function#*-F }
${function%% *} 2>&1
printf '%s\n' "${COMPREPLY[@]}"
