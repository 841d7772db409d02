# SPDX-License-Identifier: LGPL-2.1-or-later
"""Containers in a container: a guest with berth and with other container managers, and what is run in it."""

from container import Container
from machines import build

GUEST = '/srv/guests/nesting'
BERTH = '/var/lib/berth'
IDENTITY = '[Identity]\nIDMap=0:0:65536\n'
# Layers of overlays cannot lie on an overlay, which the guests' roots are.
MOUNTS = (f'[Mount]\nSource={GUEST}\nTarget={GUEST}\nCreate=yes\nReadOnly=yes\nIDMap=yes\n'
          f'[Mount]\nType=tmpfs\nTarget={BERTH}\nCreate=yes\n[Mount]\nType=tmpfs\nTarget=/var/lib/containers\nCreate=yes\n')
ENTER = 'nsenter -m -u -i -n -p -C -U -t'
INSTALL = 'tar -x -C / --keep-directory-symlink --no-overwrite-dir && systemd-sysusers && systemctl daemon-reload'
# Before there is a systemd to ask, it is "offline" and the like.
RUNNING = ('until told=$(systemctl is-system-running --wait 2>/dev/null); case $told in '
           'running | degraded | maintenance) true ;; *) false ;; esac; do sleep 0.2; done; echo $told')

# Name: a command that prints OK from inside a container of that manager. The root is a small one at $R.
PREPARE = '''
    mkdir -p -m 700 /srv/private && cd /srv/private && mkdir -p r/bin r/usr r/proc r/sys r/dev r/run r/tmp r/etc r/root
    cp /usr/bin/busybox r/bin/busybox && ln -sf busybox r/bin/sh && ln -sf busybox r/bin/id
    echo root::0:0:root:/root:/bin/sh >r/etc/passwd && echo root:x:0: >r/etc/group
    mkdir -p /var/lib/lxc/inner
    printf 'lxc.rootfs.path=dir:/srv/private/r\\nlxc.net.0.type=empty\\nlxc.include=/usr/share/lxc/config/common.conf\\n' \
        >/var/lib/lxc/inner/config
    echo 'lxc.include=/usr/share/lxc/config/userns.conf' >>/var/lib/lxc/inner/config
    echo 'lxc.apparmor.profile=unchanged' >>/var/lib/lxc/inner/config
'''
SAY = '/bin/sh -c "[ -e /proc/self/status ] && echo O && echo K"'
TOOLS = {
    'bubblewrap': f'bwrap --unshare-all --bind /srv/private/r / --proc /proc --dev /dev {SAY}',
    'bubblewrap-user': 'setpriv --reuid=1000 --regid=1000 --clear-groups bwrap --unshare-all --ro-bind / / --proc /proc '
                       f'--dev /dev {SAY}',
    'lxc': f'lxc-execute -n inner -- {SAY}',
    'nspawn': f'systemd-nspawn -q -D /srv/private/r --register=no --keep-unit --pipe {SAY}',
    'podman': f'podman run --rm --network=none $PODMAN --rootfs /srv/private/r {SAY}',
}
# systemd-nspawn leaves its old root by pivot_root(2), and with it everything that the kernel wants to see.
UNIT = {'nspawn': '-p SystemCallFilter=~pivot_root -p SystemCallErrorNumber=EPERM'}


class Outer(Container):
    """A container that has containers."""

    def __init__(self, machine, name, nesting=True, container='', more=''):
        super().__init__(machine, name, f'[Container]\n{container}[Root]\nPath={GUEST}\nOverlay=yes\n[Security]\n'
                         + ('Nesting=yes\n' if nesting else '') + MOUNTS + more)

    def boot(self):
        self.start()
        self.inside(PREPARE)
        return self.inside(RUNNING, check=False, timeout=120).stdout.strip()

    def install(self, options):
        """berth itself, as built for Debian 13."""
        tar = build.project('debian13', options).read_bytes()
        self.inside('cat >/project.tar', input=tar)
        self.inside(f'({INSTALL}) </project.tar', timeout=120)

    def run(self, name, podman='', check=False):
        """One of the TOOLS as a service of the guest, as which its own managers run."""
        return self.inside(f'systemd-run --quiet --collect --wait --pipe {UNIT.get(name, "")} '
                           f'/bin/sh -c \'{TOOLS[name].replace("$PODMAN", podman)}\'', check=check, timeout=120)


def inner(definition, name):
    """The words that define a container in a guest, and start it or show why it did not."""
    return (f"mkdir -p /etc/berth/containers && cat >/etc/berth/containers/{name}.container <<'END'\n{definition}END\n"
            f'systemctl start container@{name} || {{ systemctl status --no-pager --full container@{name}; exit 1; }}\n')


def enter(name, words):
    """Words for the shell of a container, in the words of the one that it is in."""
    return (f"cat >/run/words-{name} <<'WORDS-{name}'\n{words}\nWORDS-{name}\n"
            f'{ENTER} $(systemctl show -P MainPID container@{name}) /bin/sh </run/words-{name}\n')


def check_three_levels(outer, look_on=None):
    """berth in berth in berth: systemd, systemd, a program. look_on() is called while they run."""
    three = f'[Container]\nCommand=/usr/bin/busybox sleep 100000\n[Root]\nPath={GUEST}\nOverlay=yes\n{IDENTITY}'
    look = ('hostname; cat /proc/1/uid_map; grep Seccomp_filters /proc/1/status; grep ^0: /proc/1/cgroup; '
            'echo x >/dev/null && head -c 1 /dev/urandom | wc -c; wc -c </proc/keys; grep -c . /proc/mounts; '
            'echo x 2>/dev/null >/proc/sys/kernel/core_pattern || echo closed')
    two = f'[Root]\nPath={GUEST}\nOverlay=yes\n[Security]\nNesting=yes\n{IDENTITY}{MOUNTS}'
    outer.inside(inner(two, 'two'), timeout=120)
    assert outer.inside(enter('two', RUNNING), timeout=120).stdout == 'running\n'
    outer.inside(f'{ENTER} $(systemctl show -P MainPID container@two) sh -c "{INSTALL}" </project.tar', timeout=120)
    told = outer.inside(enter('two', inner(three, 'three') + enter('three', look)), timeout=120).stdout
    name, ids, filters, cgroup, random, keys, mounts, closed = told.splitlines()
    assert name == 'three' and ids.split() == ['0', '0', '65536'] and filters.split()[1] == '3'
    assert cgroup == '0::/' and random == '1' and keys == '0' and int(mounts) > 5 and closed == 'closed'
    if look_on:
        look_on()
    outer.inside(enter('two', 'systemctl stop container@three && ! systemctl is-failed container@three'))
    outer.inside('systemctl stop container@two && ! systemctl is-failed container@two', timeout=120)


def check_nothing_is_gained(plain):
    """Without Nesting=yes what it opens is shut: a /proc and /sys of one's own, in this user namespace and in
    another."""
    for flags in ('-mpf', '-Urmpf'):
        assert plain.inside(f'unshare {flags} mount -t proc proc /mnt', check=False).returncode != 0
    assert plain.inside('unshare -Urmn mount -t sysfs sysfs /mnt', check=False).returncode != 0
    assert plain.inside('ls /run/host/nesting', check=False).returncode != 0
    assert 'nosuid,nodev' in plain.inside('findmnt -n -o OPTIONS /run').stdout
