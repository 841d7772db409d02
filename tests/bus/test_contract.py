# SPDX-License-Identifier: LGPL-2.1-or-later
"""The D-Bus contract agrees with itself: interfaces, polkit actions and bus policy are three lists of one thing."""

import configparser
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree

import contract
import pytest

FILES = sorted(contract.INTERFACES.glob("*.xml"))
METHODS = [method for path in FILES for method in contract.methods(path)]
ADMINISTRATOR = ["auth_admin", "auth_admin", "auth_admin_keep"]
OWNER = ["no", "no", "yes"]
ACTIONS = {"run": OWNER, "manage-own": OWNER, "manage": ADMINISTRATOR, "exec": ADMINISTRATOR,
           "console": ADMINISTRATOR, "mount": ADMINISTRATOR, "device": ADMINISTRATOR, "network": ADMINISTRATOR,
           "set-limits": ADMINISTRATOR}
# Actions whose methods (commands, mounts, devices and networks of running containers) are still to come: their names and
# defaults are settled, so that an administrator's rules can be.
WITHOUT_METHOD = {"exec", "mount", "device", "network"}
MANAGER = {
    "ListContainers": ("", "a(ssuso)"), "GetContainer": ("s", "o"), "GetContainerByPID": ("u", "o"),
    "CreateContainer": ("ssa{sh}a{sv}", "o"), "RunContainer": ("ssa{sh}a{sv}", "o"), "StartContainer": ("s", ""),
    "StopContainer": ("st", ""), "RestartContainer": ("s", ""), "RemoveContainer": ("sa{sv}", ""),
    "KillContainer": ("ssi", ""), "Reload": ("", ""),
}
CONTAINER = {
    "Start": ("", ""), "Stop": ("t", ""), "Restart": ("", ""), "Remove": ("a{sv}", ""), "Kill": ("si", ""),
    "OpenConsole": ("", "h"), "Freeze": ("", ""), "Thaw": ("", ""), "SetProperties": ("ba(sv)", ""),
    "OpenRoot": ("", "h"),
}


@pytest.mark.parametrize("path", [*FILES, contract.BUS_POLICY, contract.POLKIT], ids=lambda path: path.name)
def test_well_formed(path):
    subprocess.run(["xmllint", "--noout", "--nonet", path], check=True)


@pytest.mark.parametrize("interface,expected", [("Manager", MANAGER), ("Container", CONTAINER)])
def test_signatures(interface, expected):
    found = {method.name: (method.signature("in"), method.signature("out"))
             for method in METHODS if method.interface == contract.PREFIX + interface}
    assert found == expected


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_types_and_names(path):
    """Every type is one complete type, every argument has a name and a direction."""
    for method in contract.methods(path):
        assert [arg for arg in method.arguments if arg[0] == "" or arg[2] not in ("in", "out")] == [], method.name
        assert [arg for arg in method.arguments if not contract.single_type(arg[1])] == [], method.name
    for name, kind in contract.properties(path).items():
        assert contract.single_type(kind), f"{name}: {kind}"


@pytest.mark.parametrize("signature", ["", "a", "a{vs}", "a{s}", "()", "(s", "ss", "a{sv", "z", "a{sss}"])
def test_bad_types_are_seen(signature):
    assert not contract.single_type(signature)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_everything_is_documented(path):
    """A comment with its first version stands before each property and method, or before the group it is in."""
    text = path.read_text(encoding="utf-8")
    documented = False
    for line in text[text.index("<interface"):].split("\n"):
        line = line.strip()
        if line.endswith("-->"):
            documented = "Since " in text[:text.index(line) + len(line)].rsplit("<!--", 1)[1]
        elif line.startswith(("<method", "<property")):
            assert documented, line
        elif line == "":
            documented = False


def test_every_method_says_who_may():
    for method in METHODS:
        assert 1 <= len(method.authorization) <= 2, f"{method.interface}.{method.name}"
        assert set(method.authorization) <= set(ACTIONS) | {"none"}, f"{method.interface}.{method.name}"


def test_every_action_is_asked_for():
    asked = {action for method in METHODS for action in method.authorization} - {"none"}
    assert asked | WITHOUT_METHOD == set(ACTIONS)


def test_what_changes_something_is_never_free():
    free = {method.name for method in METHODS if "none" in method.authorization}
    assert free == {"ListContainers", "GetContainer", "GetContainerByPID"}


def test_polkit_actions():
    expected = {contract.PREFIX + name: defaults for name, defaults in ACTIONS.items()}
    assert contract.actions(contract.POLKIT) == expected


def test_the_service_may_ask_about_others():
    """polkit takes questions about others only from root and from the owner of the action."""
    user = next(policy.get("user") for policy in ElementTree.parse(contract.BUS_POLICY).getroot().iter("policy")
                if policy.find("allow[@own]") is not None)
    for action in ElementTree.parse(contract.POLKIT).getroot().iter("action"):
        notes = {note.get("key"): note.text for note in action.iter("annotate")}
        assert notes == {"org.freedesktop.policykit.owner": f"unix-user:{user}"}, action.get("id")


def test_activation_names_what_is_installed():
    activation = configparser.ConfigParser(interpolation=None)
    activation.read(contract.INTERFACES / "org.berth.container1.service")
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str
    unit.read_string((contract.ROOT / "units/berth-manager.service.in").read_text(encoding="utf-8")
                     .replace("@fdstore_preserve@", ""))
    assert activation["D-BUS Service"]["Name"] == unit["Service"]["BusName"] == "org.berth.container1"
    assert activation["D-BUS Service"]["SystemdService"] == "berth-manager.service"
    assert unit["Service"]["User"] == "berth"


def test_polkit_file_is_valid():
    """By polkit's own document type, and every text can be translated."""
    subprocess.run(["xmllint", "--noout", "--nonet", "--dtdvalid", "/usr/share/polkit-1/policyconfig-1.dtd",
                    contract.POLKIT], check=True)
    for action in ElementTree.parse(contract.POLKIT).getroot().iter("action"):
        for tag in ("description", "message"):
            texts = [part for part in action.iter(tag) if part.get("gettext-domain") == "berth" and part.text]
            assert len(texts) == 1, f"{action.get('id')}: {tag}"


def test_bus_policy_has_no_list_of_methods():
    """A method that is missing in such a list can be called by nobody: there must be none that could be incomplete."""
    for rule in ElementTree.parse(contract.BUS_POLICY).getroot().iter():
        assert not {"send_member", "send_interface", "send_path"} & set(rule.attrib), rule.attrib


@pytest.fixture
def directory():
    """A directory that other users can reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="berth-bus-") as name:
        path = pathlib.Path(name)
        path.chmod(0o755)
        yield path


@pytest.fixture
def bus(directory):
    """A bus of our own with the policy as it is installed, and root in the place of the user berth."""
    policy = contract.BUS_POLICY.read_text(encoding="utf-8").replace('user="berth"', 'user="root"')
    (directory / "system.d").mkdir()
    (directory / "system.d" / contract.BUS_POLICY.name).write_text(policy, encoding="utf-8")
    config = directory / "bus.conf"
    config.write_text(f"""<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={directory}/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"/>
  </policy>
  <includedir>{directory}/system.d</includedir>
</busconfig>
""", encoding="utf-8")
    daemon = subprocess.Popen(["dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile",
                               "--print-address=1"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    address = daemon.stdout.readline().strip()
    assert address.startswith("unix:"), f"dbus-daemon does not take the policy: {address}"
    yield address.split(",")[0]
    daemon.send_signal(signal.SIGTERM)
    daemon.wait()


def request_name(bus, *command):
    return subprocess.run([*command, "busctl", f"--address={bus}", "call", "org.freedesktop.DBus",
                           "/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName", "su",
                           "org.berth.container1", "4"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="takes the names of two users: needs root")
def test_only_its_user_may_own_the_name(bus):
    assert shutil.which("busctl"), "busctl is missing: install systemd"
    own = request_name(bus)
    assert own.returncode == 0, own.stdout
    other = request_name(bus, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    assert other.returncode != 0
    assert "Access denied" in other.stdout


def test_anybody_may_call(bus):
    """Without the policy the bus itself would refuse; with it, the answer is that nobody is there."""
    call = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "busctl",
                           f"--address={bus}", "call", "org.berth.container1", "/org/berth/container1",
                           "org.berth.container1.Manager", "ListContainers"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    assert call.returncode != 0
    assert "not provided by any" in call.stdout or "was not provided" in call.stdout, call.stdout
