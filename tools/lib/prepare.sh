# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What tools/check and tools/quickstart do first: see that root, Debian, disk and network are there, and install
# the packages that are missing. To be sourced. Everything that fails says what would help.

# shellcheck disable=SC2034 # used by those who source this
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck disable=SC2034
cache=${BERTH_CACHE:-/var/cache/berth-tests}
me=tools/${0##*/}

die() {
        printf '%s: %s\n' "$me" "$1" >&2
        shift
        [ $# -eq 0 ] || printf '  %s\n' "$@" >&2
        exit 1
}

need_root() {
        [ "$(id -u)" -eq 0 ] || die "needs root: it installs packages and makes mounts and namespaces" \
                "run: sudo $me $*"
}

need_debian() {
        command -v apt-get >/dev/null && command -v dpkg-query >/dev/null ||
                die "needs Debian 12 or newer (apt-get and dpkg-query): packages are installed from its archive"
}

# need_space DIRECTORY GIB: so much has to be free where the directory is or will be.
need_space() {
        local directory=$1 free
        while [ ! -d "$directory" ]; do directory=$(dirname "$directory"); done
        free=$(df --output=avail -k "$directory" | tail -n 1)
        [ "$free" -ge $(($2 * 1024 * 1024)) ] ||
                die "the file system of $1 has $((free / 1024)) MiB free, $2 GiB are needed" \
                        "make room there, or name another place: BERTH_CACHE=/some/where $me"
}

# packages_of FILE...: the names in package lists.
packages_of() {
        sed 's/#.*//; /^[[:space:]]*$/d' "$@" | tr -d '[:blank:]' | sort -u
}

package_installed() {
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# missing_packages NAME[|NAME...]...: those of which no alternative is installed.
missing_packages() {
        local entry name
        for entry in "$@"; do
                for name in ${entry//|/ }; do
                        ! package_installed "$name" || continue 2
                done
                echo "$entry"
        done
}

# available_packages NAME[|NAME...]...: of each, the first alternative that the archive has.
available_packages() {
        local entry name
        for entry in "$@"; do
                for name in ${entry//|/ }; do
                        [ -z "$(apt-cache show --no-all-versions "$name" 2>/dev/null)" ] || break
                done
                echo "$name"
        done
}

# with_progress TITLE COMMAND...: runs a command with its output in a log; says so when it takes longer than 2 s;
# shows the end of the log when it fails.
with_progress() {
        local title=$1 log pid started=$SECONDS status=0 shown=
        shift
        log=$(mktemp "${TMPDIR:-/tmp}/berth-step.XXXXXX")
        "$@" >"$log" 2>&1 &
        pid=$!
        while kill -0 "$pid" 2>/dev/null; do
                sleep 0.2
                if [ $((SECONDS - started)) -ge 2 ]; then
                        if [ -t 1 ]; then
                                printf '\r  %s ... %d s ' "$title" $((SECONDS - started))
                        elif [ -z "$shown" ]; then
                                printf '  %s ...\n' "$title"
                        fi
                        shown=yes
                fi
        done
        wait "$pid" || status=$?
        if [ -n "$shown" ]; then
                [ ! -t 1 ] || printf '\r'
                printf '  %s: %d s%8s\n' "$title" $((SECONDS - started)) ''
        fi
        if [ "$status" -ne 0 ]; then
                printf '%s: failed: %s (status %d); its last words:\n' "$me" "$title" "$status" >&2
                tail -n 30 "$log" | sed 's/^/  /' >&2
        fi
        rm -f "$log"
        return "$status"
}

apt_quietly() {
        DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -o Acquire::Retries=5 \
                "$@" </dev/null
}

# update_lists: once more if need be, since apt-get waits for nobody else's update, and tries a mirror for seconds only.
update_lists() {
        local options=(update -o APT::Update::Error-Mode=any -o Acquire::Retries=2)
        apt_quietly "${options[@]}" || { sleep 10 && apt_quietly "${options[@]}"; }
}

# install_packages FILE...: installs what the lists name and this machine lacks.
install_packages() {
        local wanted missing
        mapfile -t wanted < <(packages_of "$@")
        mapfile -t missing < <(missing_packages "${wanted[@]}")
        [ ${#missing[@]} -gt 0 ] || return 0
        with_progress "reading Debian's package lists" update_lists ||
                die "no package lists: is there a network, and is /etc/apt/sources.list right?" \
                        "missing packages: ${missing[*]}"
        mapfile -t missing < <(available_packages "${missing[@]}")
        with_progress "installing ${#missing[@]} packages (${missing[*]})" \
                apt_quietly install --yes --no-install-recommends "${missing[@]}" ||
                die "cannot install what is missing: ${missing[*]}" "try: apt-get install ${missing[*]}"
}

# install_package_builders: what debian/control says that building the packages takes.
install_package_builders() {
        install_packages <(echo dpkg-dev)
        ! (cd "$top" && dpkg-checkbuilddeps) 2>/dev/null || return 0
        with_progress "reading Debian's package lists" update_lists &&
                with_progress "installing what building packages takes" apt_quietly build-dep --yes "$top" ||
                die "cannot install what building the packages takes" "try: apt-get build-dep $top"
}
