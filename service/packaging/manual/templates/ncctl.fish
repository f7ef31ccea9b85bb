# fish completion of ncctl, made from the tables of the program itself.

function __ncctl_words # those before the cursor, without options and their values
    set -l skip no
    for word in (commandline -opc)[2..-1]
        if test $skip = yes
            set skip no
        else if contains -- $word @VALUED@
            set skip yes
        else if not string match -q -- '-*' $word
            printf '%s\n' $word
        end
    end
end

function __ncctl_at # is the cursor at place $argv[2] of command $argv[1]? Place 0 is the command
    set -l words (__ncctl_words)
    test (count $words) -eq $argv[2]; and test "$words[1]" = "$argv[1]"
end

function __ncctl_in # is it behind command $argv[1]?
    set -l words (__ncctl_words)
    test "$words[1]" = $argv[1]
end

function __ncctl_live # the names that the daemon knows right now, to end the command line $argv[1]
    set -l words (commandline -opc)
    set -l dir
    if set -l at (contains -i -- --dir $words)
        set dir --dir $words[(math $at + 1)]
    end
    command $words[1] $dir complete $argv[1] 2>/dev/null
end

complete -c ncctl -f
@COMMON@
@COMMANDS@
@OPTIONS@
@ARGUMENTS@
