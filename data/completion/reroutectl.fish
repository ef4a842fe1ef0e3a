# SPDX-License-Identifier: GPL-3.0-or-later
# fish: what may follow on a line with reroutectl, which knows it itself

function __reroutectl_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l program $words[1]
    set -e words[1]
    set -l before
    while test (count $words) -gt 1; and string match -q -- '--*' $words[1]
        set -a before $words[1]
        set -e words[1]
    end
    if test (count $words) -eq 1; and string match -q -- '--*' $words[1]
        printf '%s\n' --session --bus= --host= --json --version --help
    else if not $program $before --complete -- $words 2>/dev/null
        __fish_complete_path (commandline -ct)
    end
end

complete -c reroutectl -f -a '(__reroutectl_complete)'
