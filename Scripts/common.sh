# Sourced by the scripts beside it: where the repository is, and how to speak.
# shellcheck shell=bash

set -euo pipefail

# shellcheck disable=SC2034 # the scripts that source this use it
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# A step begins.
say() { printf '==> %s\n' "$*"; }

# The work cannot go on: one sentence, exit status 1.
fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# Runs a command as root: directly, or through sudo, which may ask for a password on a terminal only.
as_root() {
    if [[ $(id -u) -eq 0 ]]; then
        "$@"
    elif [[ -t 0 && -z ${CI:-} ]]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

can_be_root() { [[ $(id -u) -eq 0 ]] || command -v sudo >/dev/null; }
