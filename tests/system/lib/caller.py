# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs in a test machine as a user: calls a method of berth's service and prints "ok" with what it returns, or the
error's name and its message. With --agent, polkit's text agent is there for this process and gives the password."""

import argparse
import os
import pathlib
import sys
import tempfile
import time

import dbus
import pexpect



def properties(word):
    """NAME=VALUE, the value a string."""
    name, value = word.split('=', 1)
    return dbus.Array([dbus.Struct((name, dbus.String(value, variant_level=1)))], signature='(sv)')


TYPES = {'s': str, 'u': dbus.UInt32, 't': dbus.UInt64, 'i': dbus.Int32, 'b': lambda word: dbus.Boolean(word == 'true'),
         'a{sh}': lambda word: dbus.Dictionary({}, signature='sh'),
         'a{sv}': lambda word: dbus.Dictionary({}, signature='sv'), 'a(sv)': properties}


def start_agent(seconds):
    """Registered when it closes the pipe, which has a name because a terminal's child inherits no descriptors."""
    with tempfile.TemporaryDirectory() as directory:
        pipe = os.path.join(directory, 'ready')
        os.mkfifo(pipe)
        agent = pexpect.spawn('/bin/sh', ['-c', 'exec pkttyagent --process "$0" --notify-fd 3 3>"$1"', str(os.getpid()), pipe],
                              timeout=seconds, encoding='utf-8', echo=False)
        with open(pipe, 'rb') as ready:
            ready.read()
    return agent


def wait_for(path, seconds):
    deadline = time.monotonic() + seconds
    while not path.exists():
        if time.monotonic() > deadline:
            sys.exit(f'{path} did not come')
        time.sleep(0.02)


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument('--interactive', action='store_true', help='allow it, whether or not there is an agent')
    parser.add_argument('--agent', action='store_true', help='implies --interactive')
    parser.add_argument('--password', default='')
    parser.add_argument('--asked', type=pathlib.Path, help='made when the agent has asked for the password')
    parser.add_argument('--wait', type=pathlib.Path, help='given only when this file is there')
    parser.add_argument('--leave', action='store_true', help='end then, instead of giving it')
    parser.add_argument('--seconds', type=int, default=120)
    parser.add_argument('path')
    parser.add_argument('interface')
    parser.add_argument('member')
    parser.add_argument('signature', nargs='?', default='', help='a word for each argument; of a{..}, only {} is taken')
    parser.add_argument('arguments', nargs='*')
    return parser.parse_args()


def main():
    options = parse()
    bus = dbus.SystemBus()
    message = dbus.lowlevel.MethodCallMessage('org.berth.container1', options.path, options.interface, options.member)
    kinds = options.signature.split()
    if kinds:
        message.append(*(TYPES[kind](word) for kind, word in zip(kinds, options.arguments)), signature=''.join(kinds))
    message.set_allow_interactive_authorization(options.interactive or options.agent)

    agent = start_agent(options.seconds) if options.agent else None
    pending = bus.send_message_with_reply(message, answers.append, options.seconds)
    bus.flush()
    if agent:
        agent.expect('Password: ')
        if options.asked:
            options.asked.touch()
        if options.wait:
            wait_for(options.wait, options.seconds)
        if options.leave:
            os._exit(0)
        agent.sendline(options.password)
    pending.block()
    answer = answers[0]
    if isinstance(answer, dbus.lowlevel.ErrorMessage):
        print(answer.get_error_name(), *answer.get_args_list())
    else:
        print('ok', *answer.get_args_list())


if __name__ == '__main__':
    answers = []
    main()
