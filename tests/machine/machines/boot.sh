#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Boots systemd as PID 1 of new namespaces over a copy-on-write view of a tree (the host's root, mostly).
# Called by local.py, which makes and removes everything that this uses. Three stages:
#
#   (none)     waits, in the cgroup "supervisor", for the machine's PID 1, and takes it along when it is killed
#   namespaces PID 1 in its new namespaces: goes to the cgroup "machine" and makes that the root of what it sees
#   init       builds the root and becomes systemd
#
# Environment: M_NAME, M_LOWER (tree), M_CGROUP (host path), M_SCRATCH (directory on a real file system), M_WORK
# (empty directory to mount on), M_PROJECT (tar of the installed project or empty), M_MASK (units not to start),
# M_BIND and M_BIND_RO (lines SOURCE:TARGET)
set -eu

# The view: a tmpfs above the tree, and above every file system of the host's that carries part of it.
mount_root() {
    mount -t tmpfs -o mode=755,size=75% tmpfs "$M_WORK"
    mkdir "$M_WORK/root"
    overlay "$M_LOWER" "" root
    if [ "$M_LOWER" = / ]; then
        local part
        for part in usr var etc opt; do
            ! mountpoint -q "/$part" || overlay "/$part" "/$part" "$part"
        done
    fi
    cd "$M_WORK/root"
}

overlay() { # LOWER PLACE KEY
    mkdir "$M_WORK/$3.upper" "$M_WORK/$3.work"
    mount -t overlay -o "lowerdir=$1,upperdir=$M_WORK/$3.upper,workdir=$M_WORK/$3.work" overlay "$M_WORK/root$2"
}

# Nothing that this host was set up to start may start again in here: only what the distribution starts in
# every system remains, and the project.
clean_root() {
    local unit generator directory
    for directory in etc/systemd/system etc/systemd/system-generators var/lib/systemd/linger var/lib/systemd/timers \
            etc/rc?.d etc/cron.d etc/sysctl.d etc/modules-load.d run/systemd; do
        [ ! -e "$directory" ] || find "$directory" -mindepth 1 -maxdepth 1 -exec rm -rf {} +
    done
    mkdir -p etc/systemd/system/multi-user.target.wants etc/systemd/system-generators etc/systemd/journald.conf.d
    for generator in usr/lib/systemd/system-generators/*; do
        case ${generator##*/} in
            berth*) ;;
            *) ln -s /dev/null "etc/systemd/system-generators/${generator##*/}" ;;
        esac
    done
    for unit in $M_MASK; do
        ln -s /dev/null "etc/systemd/system/$unit"
    done
    [ ! -e usr/lib/systemd/system/machines.target ] ||
        ln -s /usr/lib/systemd/system/machines.target etc/systemd/system/multi-user.target.wants/
    printf '[Journal]\nStorage=volatile\nRateLimitIntervalSec=0\nRuntimeMaxUse=256M\n' \
        >etc/systemd/journald.conf.d/50-test-machine.conf
    # What keeps packages from starting services, on hosts that are containers themselves.
    rm -f usr/sbin/policy-rc.d
    : >etc/fstab
    echo "$M_NAME" >etc/hostname
    tr -d - </proc/sys/kernel/random/uuid >etc/machine-id
    touch etc/.updated var/.updated
}

# Id-mapped mounts and overlays cannot be made of an overlay: what containers live in is on a real file system.
mount_scratch() {
    local place
    for place in var/lib/berth var/tmp var/log srv; do
        mkdir -p "$place" "$M_SCRATCH/$place"
        mount --bind "$M_SCRATCH/$place" "$place"
    done
    chmod 1777 var/tmp
    mkdir -p srv/guests srv/scratch
    chmod 700 srv/scratch           # what is copied there has set-user-ID programs
}

mount_binds() {
    local source target line
    while IFS= read -r line; do
        [ -n "$line" ] || continue
        source=${line%%:*} target=.${line#*:}
        if [ -d "$source" ]; then mkdir -p "$target"; else mkdir -p "${target%/*}"; touch "$target"; fi
        mount "--$1" "$source" "$target"
        [ "${2:-}" != ro ] || mount -o remount,bind,ro "$target"
    done
}

mount_kernel() {
    mount -t proc -o nosuid,nodev,noexec proc proc
    mount -t sysfs -o nosuid,nodev,noexec sysfs sys
    mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 sys/fs/cgroup
    mount -t tmpfs -o mode=755,nosuid,nodev tmpfs run
    mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs tmp
    mkdir -p run/host/visible/proc run/host/visible/sys
    chmod 700 run/host/visible
    # A nested user namespace may mount proc and sysfs only where one without anything mounted over it is in
    # sight. These are such; the ones that programs use are covered in places, below.
    mount -t proc -o nosuid,nodev,noexec proc run/host/visible/proc
    mount -t sysfs -o nosuid,nodev,noexec sysfs run/host/visible/sys
    # The knobs of the host's kernel are not ours. Those of the network are: they belong to our namespace.
    mount --bind proc/sys proc/sys
    mount --bind proc/sys/net proc/sys/net
    mount -o remount,bind,ro,nosuid,nodev,noexec proc/sys
    cat /proc/sys/kernel/random/uuid >run/host/boot_id
    mount --bind run/host/boot_id proc/sys/kernel/random/boot_id
    [ ! -e proc/sysrq-trigger ] || mount --bind /dev/null proc/sysrq-trigger
    # udev takes a read-only /sys for a container and stays away
    mount -o remount,bind,ro,nosuid,nodev,noexec sys
}

mount_dev() {
    local name major minor number
    mount -t tmpfs -o mode=755,nosuid,size=4m tmpfs dev
    mkdir dev/pts dev/shm dev/mqueue dev/net
    while read -r name major minor; do
        mknod -m 666 "dev/$name" c "$major" "$minor"
    done <<-END
	null 1 3
	zero 1 5
	full 1 7
	random 1 8
	urandom 1 9
	tty 5 0
	fuse 10 229
	net/tun 10 200
	END
    mknod -m 660 dev/loop-control c 10 237
    for number in 0 1 2 3 4 5 6 7; do
        mknod -m 660 "dev/loop$number" b 7 "$number"
    done
    ln -s /proc/self/fd dev/fd
    ln -s /proc/self/fd/0 dev/stdin
    ln -s /proc/self/fd/1 dev/stdout
    ln -s /proc/self/fd/2 dev/stderr
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5,nosuid,noexec devpts dev/pts
    ln -s pts/ptmx dev/ptmx
    mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs dev/shm
    mount -t mqueue -o nosuid,nodev,noexec mqueue dev/mqueue
}

install_project() {
    [ -n "$M_PROJECT" ] || return 0
    tar -x -f "$M_PROJECT" -C . --keep-directory-symlink --no-overwrite-dir
    chroot . systemd-sysusers
    # As the package does: who connects starts what listens.
    local socket
    for socket in usr/lib/systemd/system/berth-*.socket; do
        [ ! -e "$socket" ] || systemctl --root=. --quiet enable "${socket##*/}"
    done
}

stage_init() {
    umask 022
    mount_root
    clean_root
    mount_kernel
    mount_dev
    mount_scratch
    mount_binds bind ro <<<"$M_BIND_RO"
    mount_binds rbind <<<"$M_BIND"
    install_project
    hostname "$M_NAME"
    ip link set lo up
    mkdir run/host/old
    pivot_root . run/host/old
    exec chroot . /usr/bin/env -i container=test-machine PATH=/usr/sbin:/usr/bin TERM=dumb LANG=C.UTF-8 \
        /bin/sh -c 'umount -l /run/host/old && rmdir /run/host/old && exec "$@"' \
        sh /usr/lib/systemd/systemd --unit=multi-user.target
}

case ${1:-} in
    "")
        echo 0 >"$M_CGROUP/supervisor/cgroup.procs"
        exec unshare --mount --uts --ipc --net --pid --fork --kill-child=SIGKILL --propagation private \
            "$BASH" "$0" namespaces
        ;;
    namespaces)
        echo 0 >"$M_CGROUP/machine/cgroup.procs"
        exec unshare --cgroup "$BASH" "$0" init
        ;;
    init) stage_init ;;
esac
