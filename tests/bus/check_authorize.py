#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""manager/bus/authorize.h on a bus of its own, with a polkit of its own that gives every answer there can be: allowed,
denied, late, never, wrong in type, an error, or after the caller has left. Run as authorize-service's tests by meson."""

import os
import signal
import subprocess
import sys
import tempfile
import unittest
from typing import Any, Callable, List, Optional, Tuple

try:
    import dbus
    import dbus.bus
    import dbus.lowlevel
    import dbus.mainloop.glib
    from gi.repository import GLib
except ImportError as error:
    print(f"skipped: {error}: install python3-dbus, python3-gi")
    sys.exit(77)

SERVICE = os.path.abspath(sys.argv.pop(1))
USER, OTHER = (65534, 1) if os.geteuid() == 0 else (os.geteuid(), os.geteuid())
HOST = 4000  # nobody's uid: a container that is not the caller's
ACCESS_DENIED = "org.freedesktop.DBus.Error.AccessDenied"
CHALLENGE = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
LIMITS = "org.freedesktop.DBus.Error.LimitsExceeded"
INTERACTION = 1
ODD = 1000
REPLIES = 300

CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={0}/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/><allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/><allow receive_type="method_return"/><allow receive_type="error"/>
    <allow receive_type="signal"/>
  </policy>
  <limit name="max_connections_per_user">2000</limit>
  <limit name="max_replies_per_connection">{1}</limit>
</busconfig>
"""

Question = dbus.lowlevel.MethodCallMessage
Policy = Callable[[Question], Any]


class Answer:
    """Of one call, when it is there."""

    def __init__(self) -> None:
        self.error: Optional[str] = None
        self.values: Optional[List[Any]] = None
        self.text = ""

    def __call__(self, message: Any) -> None:
        if isinstance(message, dbus.lowlevel.ErrorMessage):
            self.error = message.get_error_name()
            self.text = " ".join(str(part) for part in message.get_args_list())
        else:
            self.values = message.get_args_list()

    @property
    def there(self) -> bool:
        return self.error is not None or self.values is not None


class Caller:
    def __init__(self, address: str, uid: int):
        saved = os.geteuid()
        os.seteuid(uid)
        try:
            self.bus = dbus.bus.BusConnection(address)
        finally:
            os.seteuid(saved)
        self.bus.set_exit_on_disconnect(False)
        self.pending: List[Any] = []

    def message(self, member: str, *arguments: Any, interface: str = "org.berth.test", interactive: bool = False,
                signature: Optional[str] = None) -> Any:
        message = dbus.lowlevel.MethodCallMessage("org.berth.test", "/test", interface, member)
        if arguments:
            message.append(*arguments, signature=signature)
        if interactive:
            message.set_allow_interactive_authorization(True)
        return message

    def call(self, member: str, *arguments: Any, **options: Any) -> Answer:
        answer = Answer()
        self.pending.append(self.bus.send_message_with_reply(self.message(member, *arguments, **options), answer,
                                                             timeout_s=600))
        return answer

    def ask(self, container: str = "web", verb: str = "restart", owner: int = HOST, member: str = "Ask",
            interactive: bool = False) -> Answer:
        return self.call(member, container, verb, dbus.UInt32(owner), signature="ssu", interactive=interactive)

    def close(self) -> None:
        for call in self.pending:
            call.cancel()
        self.bus.close()


class Polkit:
    """Answers CheckAuthorization as the test says, and keeps what was asked and cancelled."""

    def __init__(self, address: str):
        self.bus = dbus.bus.BusConnection(address)
        self.bus.set_exit_on_disconnect(False)
        self.bus.request_name("org.freedesktop.PolicyKit1")
        self.bus.add_message_filter(self.on_message)
        self.policy: Policy = lambda question: (True, False)
        self.asked: List[Question] = []
        self.cancelled: List[str] = []

    def on_message(self, _: Any, message: Any) -> int:
        if isinstance(message, dbus.lowlevel.MethodCallMessage):
            if message.get_member() == "CheckAuthorization":
                self.asked.append(message)
                self.answer(message, self.policy(message))
            elif message.get_member() == "CancelCheckAuthorization":
                self.cancelled.append(str(message.get_args_list()[0]))
            return dbus.lowlevel.HANDLER_RESULT_HANDLED
        return dbus.lowlevel.HANDLER_RESULT_NOT_YET_HANDLED

    def answer(self, question: Question, what: Any) -> None:
        """A pair (allowed, challenge); a message to be sent as it is; or None for no answer (yet)."""
        if what is None:
            return
        if isinstance(what, tuple):
            reply = dbus.lowlevel.MethodReturnMessage(question)
            reply.append((*what, dbus.Dictionary({}, signature="ss")), signature="(bba{ss})")
            what = reply
        self.bus.send_message(what)

    def close(self) -> None:
        self.bus.close()


def returned(signature: str, *values: Any) -> Policy:
    def make(question: Question) -> Any:
        reply = dbus.lowlevel.MethodReturnMessage(question)
        if signature:
            reply.append(*values, signature=signature)
        return reply
    return make


def failed(name: str) -> Policy:
    return lambda question: dbus.lowlevel.ErrorMessage(question, name, "says the test")


EMPTY = dbus.Dictionary({}, signature="ss")
GARBAGE: List[Tuple[str, Policy]] = [
    ("nothing", returned("")),
    ("a word", returned("s", "yes")),
    ("one boolean", returned("b", True)),
    ("not a structure", returned("bba{ss}", True, False, EMPTY)),
    ("too short", returned("(bb)", (True, False))),
    ("numbers", returned("(uua{ss})", (1, 0, EMPTY))),
    ("other details", returned("(bba{sv})", (True, False, dbus.Dictionary({}, signature="sv")))),
    ("more after it", returned("(bba{ss})b", (True, False, EMPTY), True)),
    ("both", returned("(bba{ss})", (True, True, EMPTY))),
    ("an error", failed("org.freedesktop.PolicyKit1.Error.Failed")),
    ("an error of another", failed("org.example.Yes")),
    ("a long error", failed("org.example." + "x" * 200)),
]


class Authorize(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory(prefix="berth-authorize-")
        self.addCleanup(holder.cleanup)
        os.chmod(holder.name, 0o755)
        self.directory = holder.name
        config = os.path.join(holder.name, "config")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(holder.name, REPLIES))
        daemon = subprocess.Popen(["dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile",
                                   "--print-address=1"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                  text=True)
        self.addCleanup(self.end, daemon)
        self.address = daemon.stdout.readline().strip()
        self.service = subprocess.Popen([SERVICE], env=dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=self.address))
        self.addCleanup(self.end, self.service)
        self.polkit = Polkit(self.address)
        self.addCleanup(self.polkit.close)
        self.observer = self.caller(os.geteuid())
        self.wait(lambda: self.observer.bus.name_has_owner("org.berth.test"))

    def end(self, process: "subprocess.Popen[str]") -> None:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait()
        if process.stdout:
            process.stdout.close()

    def tearDown(self) -> None:
        """It ends well, and a sanitizer has nothing to say about it."""
        self.wait_for(self.observer.call("Quit"))
        self.assertEqual(self.service.wait(120), 0)

    def caller(self, uid: int = USER) -> Caller:
        caller = Caller(self.address, uid)
        self.addCleanup(caller.close)
        return caller

    def wait(self, condition: Callable[[], bool], seconds: int = 120) -> None:
        late: List[bool] = []
        source = GLib.timeout_add_seconds(seconds, lambda: late.append(True) or False)
        while not condition():
            self.assertEqual(late, [], "waited in vain")
            GLib.MainContext.default().iteration(not late and False)
            GLib.usleep(500)
        if not late:
            GLib.source_remove(source)

    def wait_for(self, answer: Answer) -> Answer:
        self.wait(lambda: answer.there)
        return answer

    def state(self) -> Tuple[int, int, int, int]:
        """How many callers are known, left, handlers begun, handlers that acted."""
        return tuple(int(value) for value in self.wait_for(self.observer.call("State")).values)  # type: ignore

    def see(self, answer: Answer, error: Optional[str], text: str = "") -> None:
        self.wait_for(answer)
        self.assertEqual(answer.error, error, answer.text)
        self.assertIn(text, answer.text)

    def test_uid(self) -> None:
        for uid in (USER, OTHER, os.geteuid()):
            self.assertEqual(self.wait_for(self.caller(uid).call("Uid")).values, [uid])

    def test_allowed(self) -> None:
        caller = self.caller()
        self.see(caller.ask(), None)
        self.assertEqual(self.state()[3], 1)
        kind, subject = self.polkit.asked[0].get_args_list()[0]
        _, action, details, flags, cancellation = self.polkit.asked[0].get_args_list()
        self.assertEqual((kind, subject), ("system-bus-name", {"name": caller.bus.get_unique_name()}))
        self.assertEqual(action, "org.berth.container1.manage")
        self.assertEqual(details, {"container": "web", "owner": str(HOST), "verb": "restart"})
        self.assertEqual(flags, 0)
        self.assertNotEqual(cancellation, "")
        self.assertEqual(self.polkit.asked[0].get_signature(), "(sa{sv})sa{ss}us")

    def test_own(self) -> None:
        self.see(self.caller().ask(owner=USER), None)
        self.assertEqual(self.polkit.asked[0].get_args_list()[1], "org.berth.container1.manage-own")

    @unittest.skipIf(os.geteuid() != 0, "needs root")
    def test_root_is_not_asked_about(self) -> None:
        self.polkit.policy = lambda question: (False, False)
        self.see(self.caller(0).ask(), None)
        self.assertEqual(self.polkit.asked, [])

    def test_nothing_is_kept_of_a_decision(self) -> None:
        caller = self.caller()
        self.see(caller.ask(), None)
        self.polkit.policy = lambda question: (False, False)
        self.see(caller.ask(), ACCESS_DENIED, "restart of container web (polkit action org.berth.container1.manage)")
        self.assertEqual(len(self.polkit.asked), 2)

    def test_interactive_only_when_the_caller_allows_it(self) -> None:
        self.polkit.policy = lambda question: (question.get_args_list()[3] == INTERACTION, True) \
            if question.get_args_list()[3] == 0 else (True, False)
        self.see(self.caller().ask(), CHALLENGE, "Authentication is required")
        self.see(self.caller().ask(interactive=True), None)
        self.assertEqual([question.get_args_list()[3] for question in self.polkit.asked], [0, INTERACTION])

    def test_challenge_that_nobody_meets(self) -> None:
        self.polkit.policy = lambda question: (False, True)
        self.see(self.caller().ask(interactive=True), CHALLENGE)

    def test_garbage_is_a_refusal(self) -> None:
        for name, policy in GARBAGE:
            with self.subTest(name):
                self.polkit.policy = policy
                self.see(self.caller().ask(), ACCESS_DENIED)
        self.assertEqual(self.state()[3], 0)

    def test_no_polkit(self) -> None:
        self.polkit.close()
        self.wait(lambda: not self.observer.bus.name_has_owner("org.freedesktop.PolicyKit1"))
        self.see(self.caller().ask(), ACCESS_DENIED, "polkit cannot be asked (org.freedesktop.DBus.Error.ServiceUnknown)")

    def test_polkit_dies_while_asked(self) -> None:
        self.polkit.policy = lambda question: None
        answer = self.caller().ask()
        self.wait(lambda: len(self.polkit.asked) == 1)
        self.polkit.close()
        self.see(answer, ACCESS_DENIED)

    def test_nothing_is_kept_of_a_call(self) -> None:
        """One caller, more calls after each other than it may have waiting, allowed and denied."""
        caller = self.caller()
        self.polkit.policy = lambda question: (len(self.polkit.asked) % 2 == 0, False)
        answers = [self.wait_for(caller.ask()).error for _ in range(300)]
        self.assertEqual(answers, [ACCESS_DENIED, None] * 150)

    def test_question_that_changes(self) -> None:
        self.see(self.caller().ask(member="AskChanging"), ACCESS_DENIED, "changed")
        self.assertEqual(self.state()[3], 0)

    def test_caller_leaves(self) -> None:
        """polkit is told, and a late answer is nobody's."""
        self.polkit.policy = lambda question: None
        caller = self.caller()
        caller.ask()
        self.wait(lambda: len(self.polkit.asked) == 1)
        self.assertEqual(self.state()[0], 2)
        caller.close()
        self.wait(lambda: len(self.polkit.cancelled) == 1)
        self.assertEqual(self.polkit.cancelled, [self.polkit.asked[0].get_args_list()[4]])
        self.polkit.answer(self.polkit.asked[0], (True, False))
        callers, gone, _, acts = self.state()
        self.assertEqual((callers, gone, acts), (1, 1, 0))

    def test_caller_leaves_between_the_answer_and_the_act(self) -> None:
        """The answer, the news that the caller has left and the call taken up again lie in one queue, in that order."""
        self.polkit.policy = lambda question: None
        caller = self.caller()
        caller.ask()
        self.wait(lambda: len(self.polkit.asked) == 1)
        _, _, runs, _ = self.state()
        go = os.path.join(self.directory, "go")
        blocked = self.observer.call("Block", go)
        # A question to the bus behind it: what was sent before has been passed on.
        self.assertTrue(self.observer.bus.name_has_owner("org.berth.test"))
        self.polkit.answer(self.polkit.asked[0], (True, False))
        self.assertTrue(self.polkit.bus.name_has_owner("org.berth.test"))
        name = caller.bus.get_unique_name()
        caller.close()
        self.wait(lambda: not self.polkit.bus.name_has_owner(name))
        with open(go, "w", encoding="utf-8"):
            pass
        self.wait_for(blocked)
        self.assertEqual(self.state(), (1, 1, runs, 0))

    def test_answers_are_not_mixed_up(self) -> None:
        """Answered in the opposite order: each call gets what was said about it."""
        self.polkit.policy = lambda question: None
        callers = [self.caller(), self.caller()]
        answers = [callers[i % 2].ask(container=f"c{i}") for i in range(16)]
        self.wait(lambda: len(self.polkit.asked) == 16)
        for question in reversed(self.polkit.asked):
            number = int(question.get_args_list()[2]["container"][1:])
            self.polkit.answer(question, (number % 3 == 0, False))
        for number, answer in enumerate(answers):
            self.see(answer, None if number % 3 == 0 else ACCESS_DENIED)

    def test_limit_of_one_user(self) -> None:
        """polkit has 16 questions of one user at a time, 48 more wait for their turn, and another user does not."""
        self.polkit.policy = lambda question: None
        answers = [self.caller().ask() for _ in range(65)]
        self.wait(lambda: any(answer.there for answer in answers) and len(self.polkit.asked) >= 16)
        self.assertEqual([answer.error for answer in answers if answer.there], [LIMITS])
        self.assertEqual(len(self.polkit.asked), 16)
        if USER != OTHER:
            other = self.caller(OTHER).ask()
            self.wait(lambda: len(self.polkit.asked) == 17)
            self.polkit.answer(self.polkit.asked.pop(), (True, False))
            self.see(other, None)
        for number in range(64):
            self.wait(lambda: len(self.polkit.asked) > number)
            self.assertLessEqual(len(self.polkit.asked), number + 16)
            self.polkit.answer(self.polkit.asked[number], (True, False))
        self.wait(lambda: all(answer.there for answer in answers))
        self.assertEqual(sum(answer.error is None for answer in answers), 64)
        self.polkit.policy = lambda question: (True, False)
        self.see(self.caller().ask(), None)

    def test_a_long_call_does_not_wait(self) -> None:
        """What is kept until polkit answers has a limit: of one call, whatever it is made of, and of one user."""
        self.polkit.policy = lambda question: None
        self.see(self.caller().ask(container="x" * (2 << 20)), LIMITS)
        self.assertEqual(self.polkit.asked, [])
        answers = [self.caller().ask(container="x" * (1 << 20)) for _ in range(16)]
        self.wait(lambda: any(answer.there for answer in answers) and len(self.polkit.asked) >= 15)
        self.assertEqual([answer.error for answer in answers if answer.there], [LIMITS])
        for question in self.polkit.asked:
            self.polkit.answer(question, (True, False))
        self.wait(lambda: all(answer.there for answer in answers))
        self.assertEqual(sum(answer.error is None for answer in answers), 15)
        self.polkit.policy = lambda question: (True, False)
        self.see(self.caller().ask(container="x" * (1 << 20)), None)

    @unittest.skipIf(os.geteuid() != 0, "needs root")
    def test_limit_of_all_users(self) -> None:
        """Four users could have 64; polkit has 48 at a time, and everybody is answered in the end."""
        self.polkit.policy = lambda question: None
        answers = [self.caller(uid).ask() for uid in (1, 2, 3, USER) for _ in range(16)]
        self.wait(lambda: self.state()[2] == 2 * len(answers) and len(self.polkit.asked) >= 48)
        self.assertEqual(len(self.polkit.asked), 48)
        for number in range(len(answers)):
            self.wait(lambda: len(self.polkit.asked) > number)
            self.polkit.answer(self.polkit.asked[number], (True, False))
        for answer in answers:
            self.see(answer, None)

    def test_those_who_wait_for_their_turn_may_leave(self) -> None:
        self.polkit.policy = lambda question: None
        callers = [self.caller() for _ in range(60)]
        for caller in callers:
            caller.ask()
        self.wait(lambda: len(self.polkit.asked) == 16)
        for caller in callers[::2]:
            caller.close()
        self.wait(lambda: self.state()[1] == 30)
        self.wait(lambda: len(self.polkit.cancelled) >= 1)
        for caller in callers[1::2]:
            caller.close()
        self.wait(lambda: self.state()[1] == 60)
        self.wait(lambda: len(self.polkit.cancelled) >= len(self.polkit.asked))
        self.assertEqual(sorted(self.polkit.cancelled),
                         sorted(question.get_args_list()[4] for question in self.polkit.asked))

    def test_many_calls_before_the_uid_is_known(self) -> None:
        caller = self.caller(os.geteuid())
        answers = [caller.call("Uid") for _ in range(200)]
        for answer in answers:
            self.assertEqual(self.wait_for(answer).values, [os.geteuid()])

    def test_property_of_a_caller_who_is_unknown(self) -> None:
        """Get waits for the uid; GetAll does not have it."""
        get = self.caller().call("Get", "org.berth.test", "Reader", interface="org.freedesktop.DBus.Properties")
        self.assertEqual(self.wait_for(get).values, [USER])
        get_all = self.caller().call("GetAll", "org.berth.test", interface="org.freedesktop.DBus.Properties")
        self.assertEqual(self.wait_for(get_all).values, [{}])

    def test_odd_answers(self) -> None:
        """Callers that come, ask and go at every moment, and polkits that say anything: nothing is left, nothing is
        allowed that was not, and the next one is served."""
        held: List[Question] = []
        policies = [*(policy for _, policy in GARBAGE), lambda question: held.append(question),
                    lambda question: (True, False), lambda question: (False, False)]
        allowed = 0
        for number in range(ODD):
            while len(held) >= 40:
                self.polkit.answer(held.pop(number * 7 % len(held)), (True, False))
            policy = policies[number % len(policies)]
            self.polkit.policy = policy
            caller = Caller(self.address, USER)
            answer = caller.ask(container=f"c{number}", interactive=number % 2 == 0)
            seen = len(self.polkit.asked)
            how = number // len(policies) % 4
            if how == 0:
                caller.bus.flush()  # leaves before anybody has read it
            elif how == 1:
                self.wait(lambda: answer.there or len(self.polkit.asked) > seen)
            else:
                self.wait(lambda: answer.there or len(self.polkit.asked) > seen and held[-1:] == self.polkit.asked[-1:])
            allowed += answer.error is None and answer.values is not None
            caller.close()
        for question in held:
            self.polkit.answer(question, (True, False))
        self.wait(lambda: self.state()[:2] == (1, ODD))
        self.assertGreater(allowed, 10)
        self.polkit.policy = lambda question: (True, False)
        for _ in range(65):
            self.see(self.caller().ask(), None)


if __name__ == "__main__":
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    unittest.main(verbosity=0)
